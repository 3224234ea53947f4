"""Tracks and scenarios: what lies between keyframes, and files that are refused."""

from pathlib import Path

import pytest

from tools.data.track import Point, Track
from tools.virtual_wearable.scenario import ScenarioError, read_scenario
from tools.virtual_wearable.world import World

SCENARIOS = Path(__file__).resolve().parents[3] / "tools/virtual_wearable/scenarios"


def track(*points: Point, join_s: float = 300.0) -> Track:
    """A recording's track."""
    return Track(list(points), join_s=join_s, hold_s=60.0)


def test_values_run_in_straight_lines() -> None:
    line = track(Point(0, 37.0, 97.0, 80.0, 1.0), Point(100, 38.0, 87.0, 100.0, 2.0))
    assert line.temp_c(50) == 37.5
    assert line.optical(25) == (94.5, 85.0, 1.25)
    assert line.temp_c(-5) == 37.0
    assert line.temp_c(1e6) == 38.0, "the last row holds"


def test_a_probe_is_off_from_its_blank_row_on() -> None:
    line = track(
        Point(0, 37.0, 97.0, 80.0),
        Point(10, None, 96.0, 80.0),
        Point(20, 37.2, None, None),
        Point(30, None, None, None),
    )
    assert line.temp_c(9.9) == 37.0
    assert line.temp_c(10) is None
    assert line.temp_c(19) is None
    assert line.temp_c(20) == 37.2
    assert line.optical(19.9) is not None
    assert line.optical(20) is None
    assert line.temp_c(1e6) is None


def test_half_an_optical_row_is_off() -> None:
    assert track(Point(0, 37.0, None, 80.0)).optical(0) is None
    assert track(Point(0, 37.0, 97.0, None)).optical(0) is None


def test_a_lost_pulse_is_lost_at_once() -> None:
    line = track(
        Point(0, 37.0, 86.0, 80.0, 1.5), Point(10, 37.0, 86.0, 80.0, 0.0), Point(20, 37.0, 86.0, 80.0, 1.0)
    )
    assert line.optical(9) == (86.0, 80.0, 1.5)
    assert line.optical(10) == (86.0, 80.0, 0.0)
    assert line.optical(19) == (86.0, 80.0, 0.0)


def test_over_a_long_gap_nothing_is_known() -> None:
    line = track(Point(0, 37.0, 97.0, 80.0), Point(1000, 38.0, 95.0, 80.0))
    assert line.temp_c(60) == 37.0
    assert line.temp_c(61) is None
    assert line.optical(999) is None
    assert line.temp_c(1000) == 38.0


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_scenario_reads_and_is_listed(path: Path) -> None:
    scenario = read_scenario(path)
    assert scenario.points
    assert f"`{path.name}`" in (SCENARIOS / "README.md").read_text()


def test_the_fever_scenario_is_the_episode_it_promises() -> None:
    fever = read_scenario(SCENARIOS / "fever.toml")
    assert fever.temp_c(0) == 37.0
    assert fever.temp_c(fever.end_s) == 38.6
    optical = fever.optical(fever.end_s)
    assert optical is not None
    assert optical[0] == 88.0
    off = [t for t in range(int(fever.end_s)) if fever.temp_c(t) is None]
    assert len(off) >= 60
    assert off == list(range(off[0], off[-1] + 1))
    assert all(fever.optical(t) is None for t in off)
    assert 540 <= fever.end_s <= 600


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_scenario_reads_whatever_the_editor_saved(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "s.toml"
    path.write_bytes("[[keyframe]]\r\nt_s = 0\r\ntemp_c = 38.5\r\n".encode(encoding))
    assert read_scenario(path).temp_c(0) == 38.5
    path.write_bytes(path.read_bytes() + b"\x00\x00\x00")
    with pytest.raises(ScenarioError, match="NUL|damaged"):
        read_scenario(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "at least one"),
        ("keyframe = 3", "at least one"),
        ("[[keyframe]]\ntemp_c = 37", "t_s is missing"),
        ("[[keyframe]]\nt_s = 0\nspo2 = 97", "keyframe 1: unknown key 'spo2'"),
        ("[[keyframe]]\nt_s = 0\ntemp_c = 100.4", "outside 15..45"),
        ("[[keyframe]]\nt_s = 0\ntemp_c = nan", "outside"),
        ("[[keyframe]]\nt_s = 0\nspo2_pct = '97'", "must be a number"),
        ("[[keyframe]]\nt_s = 0\nstrap = 'loose'", "strap must be"),
        ("[[keyframe]]\nt_s = 5\n[[keyframe]]\nt_s = 5", "keyframe 2: t_s 5 does not come after 5"),
        ("[[keyframe]]\nt_s = 0\n[[action]]\ncmd = 'play'", "action 1"),
        ("speed = 3\n[[keyframe]]\nt_s = 0", "unknown key 'speed'"),
        ("[[keyframe]\n", "line 1"),
    ],
)
def test_bad_scenarios_are_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=words) as refused:
        read_scenario(path)
    assert str(path) in str(refused.value)


def test_the_track_starts_at_the_first_bus_access_or_by_play() -> None:
    steady = track(Point(0, 37.0, 97.0, 80.0))
    world = World(steady, 1000, hold=False)
    assert world.track_s() == 0.0
    world.touch()
    assert world.track_s() >= 0.0
    held = World(steady, 1000, hold=True)
    held.touch()
    assert held.track_s() == 0.0
    assert held.held
    held.play()
    start = held.now_us()
    while held.now_us() < start + 2_000_000:
        pass
    assert held.track_s() >= 2.0
    assert not held.held
