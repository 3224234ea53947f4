"""Reads a scenario: a TOML file with keyframes that are joined by straight lines, and actions.

    title = "Fever with hypoxaemia"
    [[keyframe]]
    t_s = 0
    temp_c = 37.0        # or "off": the thermometer touches nobody
    spo2_pct = 97.0
    hr_bpm = 80          # spo2_pct or hr_bpm "off": the optical probe sees no skin
    pi_pct = 1.5         # 0: worn, no pulse
    [[keyframe]]
    t_s = 60
    strap = "off"        # both probes off until the next keyframe
    [[action]]
    t_s = 30
    cmd = "press"        # any control command

A key that a keyframe leaves out keeps its last value.
"""

import tomllib
from pathlib import Path
from typing import Any

from tools.data.table.problems import TableError
from tools.data.table.text_lines import read_text
from tools.data.track import DEFAULT_PI_PCT, Action, Point, Track

_LIMITS = {"temp_c": (15.0, 45.0), "spo2_pct": (50.0, 100.0), "hr_bpm": (20.0, 300.0), "pi_pct": (0.0, 20.0)}


class ScenarioError(ValueError):
    """The file breaks the format; the text names the place."""


def read_scenario(path: Path) -> Track:
    """Return the track of a scenario file; ScenarioError names the keyframe and key."""
    try:
        document = tomllib.loads(read_text(path))
    except TableError as error:
        raise ScenarioError(str(error)) from None
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path}: {error}") from error
    unknown = set(document) - {"title", "keyframe", "action"}
    if unknown:
        raise ScenarioError(f"{path}: unknown key {sorted(unknown)[0]!r}")
    frames = document.get("keyframe")
    if not isinstance(frames, list) or not frames:
        raise ScenarioError(f"{path}: at least one [[keyframe]] is needed")
    points: list[Point] = []
    values: dict[str, float | None] = {
        "temp_c": 37.0,
        "spo2_pct": 97.0,
        "hr_bpm": 75.0,
        "pi_pct": DEFAULT_PI_PCT,
    }
    for number, frame in enumerate(frames, 1):
        place = f"{path}: keyframe {number}"
        point, values = _keyframe(frame, values, place)
        if points and point.t_s <= points[-1].t_s:
            raise ScenarioError(f"{place}: t_s {point.t_s:g} does not come after {points[-1].t_s:g}")
        points.append(point)
    actions = [_action(entry, f"{path}: action {n}") for n, entry in enumerate(document.get("action", []), 1)]
    return Track(points, str(document.get("title", path.stem)), actions=actions)


def _number(value: Any, key: str, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScenarioError(f"{place}: {key} must be a number, not {value!r}")
    return float(value)


def _keyframe(
    frame: dict[str, Any], last: dict[str, float | None], place: str
) -> tuple[Point, dict[str, float | None]]:
    unknown = set(frame) - {"t_s", "strap"} - set(_LIMITS)
    if unknown:
        raise ScenarioError(f"{place}: unknown key {sorted(unknown)[0]!r}")
    if "t_s" not in frame:
        raise ScenarioError(f"{place}: t_s is missing")
    t_s = _number(frame["t_s"], "t_s", place)
    values = dict(last)
    for key, (low, high) in _LIMITS.items():
        if key not in frame:
            continue
        if frame[key] == "off" and key != "pi_pct":
            values[key] = None
            continue
        value = _number(frame[key], key, place)
        if not low <= value <= high:
            raise ScenarioError(f"{place}: {key} {value:g} is outside {low:g}..{high:g}")
        values[key] = value
    strap = frame.get("strap", "on")
    if strap not in ("on", "off"):
        raise ScenarioError(f'{place}: strap must be "on" or "off", not {strap!r}')
    if strap == "off":
        return Point(t_s, None, None, None), values
    pi_pct = values["pi_pct"]
    assert pi_pct is not None
    return Point(t_s, values["temp_c"], values["spo2_pct"], values["hr_bpm"], pi_pct), values


def _action(entry: dict[str, Any], place: str) -> Action:
    command = dict(entry)
    if "t_s" not in command or "cmd" not in command:
        raise ScenarioError(f"{place}: t_s and cmd are needed")
    t_s = _number(command.pop("t_s"), "t_s", place)
    return Action(t_s, command)
