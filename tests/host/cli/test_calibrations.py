"""A reading names the calibration that made it: in the table, in JSON, in status and history."""

import csv
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from crs_core import calibration, units
from crs_core.journal import block_reader, block_writer, record_types

from host_agent.store.coverage import Coverage
from host_agent.store.insertion import IncomingBlock, Insertion
from host_agent.store.journals import journal_by_id, open_branch
from host_agent.views.calibrations import Calibrations, SensorCalibration
from tests.core.calibration_checks import TEMPERATURE_ALONE, TEXT
from tests.host.cli.people_cli import run
from tests.host.escalation.world import JOURNAL_ID, NOW_MS, RULE_HASH, World

OWN = record_types.Calibration(calibration.id_of(TEXT), TEXT)
AN6845 = record_types.Calibration(1, calibration.BUILT_IN[1][1])


def settings(calibration_id: int) -> Any:
    """A SETTINGS record as it stands beside a CALIBRATION, and stood alone once."""
    return record_types.Settings(1, RULE_HASH, calibration_id, "site=axilla\n")


class Journal(World):
    """Blocks of a boot of our choice."""

    row: int

    def put(self, boot: int, *items: Any) -> None:
        """Readings when they are temperatures in cc (or None), else events."""
        first, self.next_seq = self.next_seq, self.next_seq + len(items)
        if isinstance(items[0], tuple):
            rows = [
                (60_000 + i, record_types.type_of(item), record_types.encode(item))
                for i, item in enumerate(items)
            ]
            raw = block_writer.encode_events(JOURNAL_ID, boot, first, rows, 0)
        else:
            status = units.make_status(units.SITE_AXILLA, 0, 0, units.WEAR_WORN)
            readings = [units.Reading(61_000 + i, cc, 970, 72, 150, status) for i, cc in enumerate(items)]
            raw = block_writer.encode_readings(JOURNAL_ID, boot, first, readings, 0)
        header, content = block_reader.decode(raw, JOURNAL_ID)
        row = getattr(self, "row", self.journal.id)

        def insert(tx: Any) -> None:
            insertion = Insertion(tx, journal_by_id(tx, row), Coverage(), NOW_MS)
            insertion.block(IncomingBlock(header, raw, content))
            insertion.finish()

        self.store.write_now(insert)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    home = tmp_path / "home"
    home.mkdir()
    return Journal(home)


@pytest.fixture
def home(journal: Journal, tmp_path: Path) -> Path:
    """Boot 1 built in, 2 its own, 3 without a record of its start, 4 by firmware that wrote SETTINGS alone."""
    journal.put(1, AN6845, settings(1))
    journal.put(1, 3700, None)
    journal.put(2, OWN, settings(OWN.calibration_id))
    journal.put(2, 3695)
    journal.put(3, 3690)
    journal.put(4, settings(2))
    journal.put(4, 3685)
    journal.put(5, OWN, settings(OWN.calibration_id))
    journal.put(5, 3680)
    journal.store.close()
    folder = tmp_path / "home"
    (folder / "c.db").rename(folder / "cytowatch.db")
    return folder


def done(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    finished = run(home, *arguments)
    assert finished.returncode == 0, finished.stderr
    return finished  # type: ignore[no-any-return]


EXPECTED = [  # calibration, text, temp_cc, temp_raw_cc
    (1, AN6845.text, 3700, 3700),
    (1, AN6845.text, None, None),
    (OWN.calibration_id, TEXT, 3695, 3700),
    (None, None, 3690, None),
    (2, "", 3685, 3685),
    (OWN.calibration_id, TEXT, 3680, 3685),
]


def test_each_exported_reading_names_its_calibration_and_the_chips_own_value(home: Path) -> None:
    table = list(csv.DictReader(io.StringIO(done(home, "export").stdout)))
    as_text = [tuple("" if value is None else str(value) for value in row) for row in EXPECTED]
    assert [(row["calibration"], row["temp_cc"], row["temp_raw_cc"]) for row in table] == [
        (number, cc, raw) for number, _, cc, raw in as_text
    ]
    assert "calibration_text" not in table[0], "the same 200 bytes in every row of a table"
    lines = [json.loads(line) for line in done(home, "export", "--format", "jsonl").stdout.splitlines()]
    assert [
        (row["calibration"], row["calibration_text"], row["temp_cc"], row["temp_raw_cc"]) for row in lines
    ] == EXPECTED


def test_history_tells_each_change_once_with_where_it_is_from(home: Path) -> None:
    lines = [line[21:] for line in done(home, "history", "--kind", "calibrations").stdout.splitlines()]
    assert lines == [
        "measured from here on: not calibrated for this device: AN6845",
        f"measured from here on: calibration {OWN.calibration_id} of 2026-11-20: SpO2 ARMS 1.87 % over 120 pairs;"
        " temperature -0.05 °C over 24 pairs (SD 0.04 °C); by bench 2",
    ]
    assert "measured from here on" in done(home, "history").stdout, "shown without being asked for"


def test_status_says_what_measures_now(home: Path) -> None:
    assert "  sensors   calibration 33278 of 2026-11-20: SpO2 ARMS 1.87 %" in done(home, "status").stdout
    found = json.loads(done(home, "status", "--json").stdout)["devices"][0]["calibration"]
    assert (found["id"], found["text"], found["date"], found["temp_offset_cc"], found["is_own"]) == (
        OWN.calibration_id, TEXT, "2026-11-20", -5, True,
    )  # fmt: skip


def test_a_branch_has_what_it_shares_and_not_what_it_left(journal: Journal) -> None:
    journal.put(1, AN6845, settings(1))  # 1 and 2
    journal.put(2, OWN, settings(OWN.calibration_id))  # 3 and 4
    branch = journal.store.write_now(
        lambda tx: open_branch(tx, journal_by_id(tx, journal.journal.id), 2, NOW_MS)
    )
    found = journal.store.read_now(
        lambda tx: (
            [Calibrations(tx).of(branch.id, boot) for boot in (1, 2)] + [Calibrations(tx).newest(branch.id)]
        )
    )
    assert found == [SensorCalibration(1, AN6845.text), None, SensorCalibration(1, AN6845.text)]


def test_words_for_half_a_calibration_and_for_one_that_is_not_understood() -> None:
    half = SensorCalibration(calibration.id_of(TEMPERATURE_ALONE), TEMPERATURE_ALONE)
    assert half.temp_offset_cc == 12
    assert "SpO2 not calibrated for this device: AN6845; temperature +0.12 °C over 5 pairs" in half.words
    for strange in (
        SensorCalibration(4711, TEXT),
        SensorCalibration(OWN.calibration_id, TEXT + ";x=1"),
        SensorCalibration(OWN.calibration_id, ""),
    ):
        assert strange.own is None and strange.temp_offset_cc is None
        assert f"calibration {strange.id}, not understood by this version" in strange.words
    assert SensorCalibration(3, "AN9999: a curve of later").words == "not calibrated for this device: AN9999"
    assert SensorCalibration(3, "").words == "not calibrated for this device: curve 3"
