"""Recordings on the real firmware and the real agent: what alarms, what is graded, and what is not said.

Each recording is played once, on a wearable that runs tens of times faster, and looked at by several tests.
"""

import itertools
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from crs_core import codes
from crs_core.units import TEMP_VALID, WEAR_OFF, temp_state_of, wear_of
from crs_core.wire import message as wire

from host_agent.store.contents import totals
from host_agent.store.host_alarms import host_alarms
from tests.integration.recorded_world import OFF, Mission, Row, fly, write
from tools.data.recording.__main__ import main as convert
from tools.demo.__main__ import recording_speed
from tools.rig.journal_check import JournalDiffersError, compare
from tools.rig.stored import bound_readings
from tools.rig.wearable import ready

pytestmark = pytest.mark.slow
# One worker plays what several tests look at, and has them all.
THE_LONG_ONES = pytest.mark.xdist_group("afebrile, fever and strap off")
TWO_BURSTS = pytest.mark.xdist_group("two bursts")
AT_ANY_SPEED = pytest.mark.parametrize("name", ["afebrile", "afebrile at 200"])

LOW, MEDIUM, HIGH = codes.PRIORITY_LOW, codes.PRIORITY_MEDIUM, codes.PRIORITY_HIGH
WELL = (36.8, 97.0, 74.0, 1.5)
LOW_SPO2 = (36.8, 86.0, 84.0, 1.5)
NO_PULSE = (36.8, 86.0, 84.0, 0.0)
PROBE_OFF = (36.8, None, None, None)


def steady(until_s: int, values: tuple, start_s: int = 0, step_s: int = 30) -> list[Row]:
    """Rows of the same values."""
    return [(float(t), *values) for t in range(start_s, until_s, step_s)]


def burst(start_s: float, after: tuple) -> list[Row]:
    """Eight seconds at 86 %, then `after` for half a minute, then well: long enough before the next, the alarm ends."""
    return [
        (start_s - 0.5, *WELL), (start_s, *LOW_SPO2), (start_s + 7.99, *LOW_SPO2), (start_s + 8, *after),
        (start_s + 40, *after), (start_s + 40.1, *WELL),
    ]  # fmt: skip


Rows = Callable[[], list[Row]]


def afebrile() -> list[Row]:
    return steady(1201, WELL)


def blank() -> list[Row]:
    return steady(301, OFF)


def low_saturation() -> list[Row]:
    return steady(180, WELL) + steady(481, LOW_SPO2, 180)


def strap_off() -> list[Row]:
    return steady(240, WELL) + steady(480, OFF, 240) + steady(901, WELL, 480)


def fever() -> list[Row]:
    """A fever of an hour, from 37.0 to 38.6 °C, in a third of it."""
    return [
        (float(t), 37.0 + 1.6 * t / 1200, 97 - 2 * t / 1200, 78 + 26 * t / 1200, 1.5)
        for t in range(0, 1201, 30)
    ]


def two_bursts() -> list[Row]:
    return [*burst(40, NO_PULSE), *burst(140, PROBE_OFF), (200.0, *WELL)]


def many_bursts() -> list[Row]:
    found: list[Row] = []
    for i in range(8):  # from 80 s on: the first grade is written at about 60 s
        found += burst(80 + 97 * i, NO_PULSE if i % 2 else PROBE_OFF)
    return [(0.0, *WELL), *found, (80 + 97 * 8, *WELL)]


RECORDINGS: dict[str, tuple[Rows, int]] = {
    "afebrile": (afebrile, 60), "blank": (blank, 30), "low_saturation": (low_saturation, 30),
    "strap_off": (strap_off, 60), "fever": (fever, 60), "two_bursts": (two_bursts, 20),
    "many_bursts": (many_bursts, 60), "afebrile at 200": (afebrile, 200), "fever at 200": (fever, 200),
}  # fmt: skip


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Mission]:
    """Play a recording by name, once."""
    missions: dict[str, Mission] = {}

    def play(name: str) -> Mission:
        if name not in missions:
            folder = tmp_path_factory.mktemp(name)
            rows, speed = RECORDINGS[name]
            missions[name] = fly(folder, write(folder / "recording.csv", rows()), speed)
        return missions[name]

    return play


@THE_LONG_ONES
def test_an_afebrile_recording_alarms_nothing(played: Callable[[str], Mission]) -> None:
    mission = played("afebrile")
    assert mission.line.endswith("0 events delivered, no fever criterion met, alarms none")
    assert mission.outcome.accepted == "accepted: none, because no HIGH alarm occurred"
    assert mission.alarms() == [] and mission.read(host_alarms) == [] and mission.lowers() <= {0, None}


@THE_LONG_ONES
@AT_ANY_SPEED
def test_a_fast_recording_is_measured_without_a_hole(played: Callable[[str], Mission], name: str) -> None:
    rows = played(name).read(bound_readings)
    assert len(rows) >= 120, "20 min at a reading each 10 s"
    valid = [temp_state_of(row.status) == TEMP_VALID for row in rows]
    assert all(valid[valid.index(True) :])
    measured = [row.spo2_tenths is not None for row in rows]
    measured = measured[measured.index(True) :]
    assert sum(measured) >= 0.98 * len(measured) and len(measured) >= 0.98 * len(rows)


def test_a_blank_recording_is_not_gradable_and_not_silent(played: Callable[[str], Mission]) -> None:
    mission = played("blank")
    assert ", not gradable, alarms NO_DATA:LOW" in mission.line
    assert {change.alarm for change in mission.alarms()} == {codes.NO_DATA}
    assert [event["name"] for event in mission.events] == ["NO_DATA"] and mission.lowers() <= {None}


def test_low_saturation_alarms_high_and_is_no_grade(played: Callable[[str], Mission]) -> None:
    mission = played("low_saturation")
    assert mission.line.endswith("no fever criterion met, alarms HYPOXAEMIA:HIGH")
    assert mission.kinds() == ["alarm"] and mission.lowers() <= {0, None}


@TWO_BURSTS
@pytest.mark.parametrize("index, after", [(0, "no pulse"), (1, "probe off")])
def test_eight_seconds_of_low_saturation_alarm_although_then_nothing_is_measured(
    played: Callable[[str], Mission], index: int, after: str
) -> None:
    """Faster than a demonstration plays a recording of a quarter of an hour or less."""
    assert recording_speed(900) <= RECORDINGS["two_bursts"][1]
    raised = played("two_bursts").raised(codes.HYPOXAEMIA, HIGH)
    assert len(raised) == 2, after
    assert 90 <= raised[1] - raised[0] <= 110


def test_every_eight_seconds_are_seen_also_at_sixty_times_real_time(played: Callable[[str], Mission]) -> None:
    raised = played("many_bursts").raised(codes.HYPOXAEMIA, HIGH)
    assert len(raised) == 8 and all(87 <= b - a <= 107 for a, b in itertools.pairwise(raised))


@pytest.mark.parametrize("speed", [1, 60])
@pytest.mark.parametrize("after", [NO_PULSE, PROBE_OFF], ids=["no pulse", "probe off"])
def test_eight_seconds_alarm_as_soon_at_every_speed(tmp_path: Path, after: tuple, speed: int) -> None:
    recording = write(tmp_path / "r.csv", [(0.0, *WELL), *burst(4, after)])
    with ready(tmp_path, "--hold", recording=recording, speed=speed) as wearable:
        host = wearable.connect()
        host.see(wire.Live, lambda m: m.spo2_tenths, 25, "a value")
        at_s = wearable.state()["sim_ms"] / 1000
        wearable.control("play")
        host.see_alarm(codes.HYPOXAEMIA, HIGH, 40)
        assert 15 <= wearable.state()["sim_ms"] / 1000 - at_s - 4 <= 30


@THE_LONG_ONES
@pytest.mark.parametrize("name", ["fever", "fever at 200"])
def test_a_fever_is_graded_forwarded_and_alarmed(played: Callable[[str], Mission], name: str) -> None:
    mission = played(name)
    assert "peak grade ASTCT-2019 1..4 provisional" in mission.line
    assert len(mission.raised(codes.FEVER, MEDIUM)) == 1
    assert sorted(mission.kinds()) == ["alarm", "grade_rise"]
    assert all(event["simulated"] for event in mission.events)


@THE_LONG_ONES
def test_readings_lie_within_the_stated_error_of_what_was_played(played: Callable[[str], Mission]) -> None:
    """What crs_device/signal and crs_device/sensors say of their error; both recordings change slower than that."""
    checked = 0
    for name in ("afebrile", "fever", "afebrile at 200", "fever at 200"):
        truth = RECORDINGS[name][0]()
        for row in played(name).read(bound_readings):
            at_s = row.t_ms / 1000
            _, temp_c, spo2_pct, heart, _ = min(truth, key=lambda one: abs(one[0] - at_s))
            assert temp_c is not None and spo2_pct is not None and heart is not None
            if temp_state_of(row.status) == TEMP_VALID:
                assert abs(row.temp_cc / 100 - temp_c) <= 0.3, (name, at_s)
                checked += 1
            if row.spo2_tenths is not None:
                assert abs(row.spo2_tenths / 10 - spo2_pct) <= 1.0, (name, at_s)
                assert abs(row.hr_bpm - heart) <= 5, (name, at_s)
                checked += 1
    assert checked >= 4 * 2 * 115


@THE_LONG_ONES
def test_the_strap_off_for_a_while_is_told_and_ends(played: Callable[[str], Mission]) -> None:
    mission = played("strap_off")
    assert mission.line.endswith("no fever criterion met, alarms NO_DATA:LOW")
    assert [(one.alarm, one.priority) for one in mission.alarms()] == [
        (codes.NO_DATA, LOW),
        (codes.NO_DATA, 0),
    ]
    off = [row for row in mission.read(bound_readings) if wear_of(row.status) == WEAR_OFF]
    assert len(off) >= 15, "240 s at a reading each 10 s"
    assert all(row.spo2_tenths is None and temp_state_of(row.status) != TEMP_VALID for row in off)


@THE_LONG_ONES
def test_the_store_equals_the_journal_in_every_recording(played: Callable[[str], Mission]) -> None:
    for name in ("afebrile", "fever", "strap_off"):
        mission = played(name)
        assert mission.outcome.compared >= mission.outcome.summary.readings > 50
        assert mission.read(totals).disagreements == 0


@THE_LONG_ONES
@pytest.mark.parametrize(
    "harm, told",
    [
        ("UPDATE readings SET temp_cc = temp_cc + 1 WHERE seq = (SELECT max(seq) - 40 FROM readings)", "in 1 places"),
        ("DELETE FROM readings WHERE seq = (SELECT max(seq) - 40 FROM readings)", "in 1 places"),
        ("UPDATE blocks SET raw = substr(raw, 2) WHERE first_seq = (SELECT min(first_seq) FROM blocks)", "block"),
        (
            "INSERT INTO events SELECT journal, seq + 900000, boot, t_ms, type, payload, simulated, 1 FROM events"
            " ORDER BY journal DESC LIMIT 1",
            "in the store alone",
        ),
    ],
    ids=["changed", "missing", "block", "invented"],
)  # fmt: skip
def test_the_comparison_notices_a_store_that_differs(
    played: Callable[[str], Mission], tmp_path: Path, harm: str, told: str
) -> None:
    mission = played("afebrile")
    copy = tmp_path / "copy.db"
    shutil.copy(mission.database, copy)
    assert compare(mission.image, copy) == mission.outcome.compared
    with sqlite3.connect(copy) as store:
        store.execute(harm)
    with pytest.raises(JournalDiffersError, match=told):
        compare(mission.image, copy)


def test_a_desaturation_that_was_recorded(tmp_path: Path, data_dir: Path) -> None:
    source = data_dir / "spo2-desaturation" / "gt_100001.csv"
    if not source.is_file():
        pytest.skip(f"no recording at {source}: set CRS_DATA_DIR")
    out = tmp_path / "desaturation.csv"
    assert convert(["desaturation", str(source), "--temp-c", "36.8", "-o", str(out)]) == 0
    mission = fly(tmp_path, out, 60)
    assert len(mission.raised(codes.HYPOXAEMIA, HIGH)) >= 1 and "no fever criterion met" in mission.line
    assert mission.lowers() <= {0, None}
    assert min(row.spo2_tenths or 1000 for row in mission.read(bound_readings)) < 850


def test_a_stay_that_was_charted(tmp_path: Path, data_dir: Path) -> None:
    """Twenty minutes above 38 °C of a febrile stay; the whole two hours take two minutes by `make demo`."""
    source = data_dir / "icu-vitals" / "vitals.csv.gz"
    if not source.is_file():
        pytest.skip(f"no recording at {source}: set CRS_DATA_DIR")
    out = tmp_path / "stay.csv"
    cut = ["--rec", "141214", "--from-min", "1680", "--to-min", "1700"]
    assert convert(["icu", str(source), *cut, "-o", str(out)]) == 0
    assert out.read_text().startswith("# interpolated")
    mission = fly(tmp_path, out, 60)
    assert "peak grade ASTCT-2019 1..4 provisional" in mission.line
    assert len(mission.raised(codes.FEVER, MEDIUM)) == 1
