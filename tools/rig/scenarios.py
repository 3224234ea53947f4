"""Scenarios as tests write them: `worn(temp_c=38.6)` is one steady wearer, `keyframes(...)` one who changes."""

import json
from pathlib import Path

from tools.rig.micropython import ROOT

_FOLDER = ROOT / "tools/virtual_wearable/scenarios"
Frame = dict[str, object]


def keyframes(*frames: tuple[float, Frame]) -> str:
    """TOML text of (second, values) in order."""
    lines = ['title = "test"']
    for t_s, values in frames:
        lines += ["[[keyframe]]", f"t_s = {t_s}"]
        lines += [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def steady(**values: float) -> Frame:
    """Values of a quiet adult, but for those given."""
    return {"temp_c": 36.8, "spo2_pct": 97.0, "hr_bpm": 74, "pi_pct": 1.5, **values}


def worn(**values: float) -> str:
    """A wearer whose values stay as they are."""
    return keyframes((0, steady(**values)))


def scenario_file(folder: Path, scenario: str | Path) -> Path:
    """The file of a scenario: a path, a name in tools/virtual_wearable/scenarios, or TOML text, written to `folder`."""
    if isinstance(scenario, Path):
        return scenario
    if "\n" not in scenario:
        return _FOLDER / f"{scenario}.toml"
    path = folder / "scenario.toml"
    path.write_text(scenario)
    return path
