"""The long view on the command line: roll-ups as CSV and JSON lines, and what was removed on purpose."""

import csv
import io
import json

import pytest
from crs_core import units
from crs_core.journal import block_layout, block_reader, block_writer

from host_agent.store.db import Store
from host_agent.store.insertion import IncomingBlock, Insertion
from host_agent.store.journals import journal_by_id
from host_agent.store.retention import Run, thin_step
from host_agent.terminal import exits
from tests.host.cli.people_cli import run
from tests.host.escalation.world import JOURNAL_ID, World
from tests.host.store.test_retention import DAY_MS

WORN = units.make_status(units.SITE_AXILLA, 0, 0, units.WEAR_WORN)
OFF = units.make_status(units.SITE_AXILLA, units.TEMP_OFF_BODY, units.PPG_NO_CONTACT, units.WEAR_OFF)
ENDED_MS = 1_700_100_000_000


@pytest.fixture
def home(tmp_path):
    """90 minutes at 10 s from the start of boot 1: worn, but off the body in the second five minutes; simulated."""
    home = tmp_path / "home"
    home.mkdir()
    world = World(home)

    def insert(tx):
        insertion = Insertion(tx, journal_by_id(tx, world.journal.id), world.coverage, 1)
        for at in range(0, 540, 12):
            rows = [
                units.Reading(i * 10_000, 3700 + i % 3, 970, 80, 150, OFF if 30 <= i < 60 else WORN)
                for i in range(at, at + 12)
            ]
            raw = block_writer.encode_readings(JOURNAL_ID, 1, at + 1, rows, block_layout.FLAG_SIMULATED)
            header, content = block_reader.decode(raw, JOURNAL_ID)
            insertion.block(IncomingBlock(header, raw, content))
        insertion.finish()

    world.store.write_now(insert)
    world.store.close()
    (home / "c.db").rename(home / "cytowatch.db")
    return home


def thin(home):
    with Store(home / "cytowatch.db") as store:
        store.write_now(
            lambda tx: tx.execute("UPDATE bindings SET state = 'ended', ended_utc_ms = ?", (ENDED_MS,))
        )
        store.write_now(lambda tx: tx.execute("UPDATE journals SET is_current = 0, verified_seq = 24"))
        assert store.write_now(lambda tx: thin_step(tx, 1, Run(ENDED_MS + 30 * DAY_MS, 30))) == 24


def test_every_five_minutes_as_csv(home):
    done = run(home, "export", "--every", "5m")
    assert done.returncode == 0 and done.stderr == "18 rows of readings written\n"
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 18
    first, off = rows[0], rows[1]
    assert (first["t_ms"], first["every_ms"], first["site"], first["simulated"]) == (
        "0",
        "300000",
        "axilla",
        "1",
    )
    assert (first["n"], first["temp_n"], first["spo2_n"], first["hr_n"]) == ("30", "30", "30", "30")
    assert [first[f"temp_{what}_cc"] for what in ("min", "mean", "max")] == ["3700", "3701", "3702"]
    assert [first[f"spo2_{what}_tenths"] for what in ("min", "mean", "max")] == ["970"] * 3
    assert (off["n"], off["temp_n"], off["spo2_n"]) == ("30", "0", "0")
    assert [off[name] for name in off if name.split("_")[1:2] in (["min"], ["mean"], ["max"])] == [""] * 9


def test_every_hour_as_json_lines_and_only_a_part_of_it(home):
    lines = run(home, "export", "--every", "1h", "--format", "jsonl").stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    assert [(row["n"], row["temp_n"], row["every_ms"]) for row in rows] == [
        (360, 330, 3_600_000), (180, 180, 3_600_000),
    ]  # fmt: skip
    assert rows[0]["simulated"] is True and rows[0]["temp_mean_cc"] == 3701
    later = run(home, "export", "--every", "1h", "--format", "jsonl", "--from", rows[1]["at"]).stdout
    assert later.splitlines() == lines[1:]
    null = json.loads(run(home, "export", "--every", "5m", "--format", "jsonl").stdout.splitlines()[1])
    assert null["temp_mean_cc"] is None and null["spo2_min_tenths"] is None and null["hr_max_bpm"] is None


@pytest.mark.parametrize(
    "arguments, told",
    [(("--every", "7m"), "a multiple of it up to 7d"), (("--every", "1m"), "a multiple of it up to 7d"),
     (("--every", "30d"), "a multiple of it up to 7d"), (("--every", "soon"), "expected a duration"),
     (("--every", "5m", "--kind", "events"), "--every is for readings, not for events")],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_refused(home, arguments, told):
    done = run(home, "export", *arguments)
    assert done.returncode == exits.USAGE and told in done.stderr and done.stdout == ""


def test_what_was_removed_is_told_everywhere_and_the_long_view_stays(home):
    before = run(home, "export", "--every", "5m").stdout
    assert "thinned" not in run(home, "verify").stdout
    thin(home)
    assert run(home, "export", "--every", "5m").stdout == before
    done = run(home, "export")
    assert len(done.stdout.splitlines()) == 1 + 516
    assert "24 readings of earlier patients were removed as configured" in done.stderr
    line = run(home, "history", "--kind", "thinned").stdout
    assert (
        "SIMULATED  24 single readings removed, sequences 1 to 24, 30 days after the patient's binding ended"
        in line
    )
    assert line in run(home, "history").stdout
    (row,) = json.loads(run(home, "history", "--kind", "thinned", "--json").stdout)["rows"]
    assert (row["first_seq"], row["last_seq"], row["readings"], row["keep_days"]) == (1, 24, 24, 30)
    assert "24 readings of earlier patients were removed as configured, last at" in run(home, "doctor").stdout
    done = run(home, "verify")
    assert done.returncode == 0 and "540 readings (24 of them removed on purpose" in done.stdout
    assert json.loads(run(home, "verify", "--json").stdout)["thinned"] == 24
