"""A patient who is well for a while, feverish for a while, and takes the strap off now and then: a scenario by a seed.

Steady values would leave grader, alarms and escalation at rest, and the journal without events to lose.
"""

from pathlib import Path
from random import Random

_HOURS = 4  # of the wearable's time, from each start of its process


def write_scenario(path: Path, seed: int) -> Path:
    """Write the TOML file for `tools.virtual_wearable --scenario`."""
    chance = Random(f"{seed} patient")
    lines = ['title = "A soaked patient"']
    t_s = 0
    temp_c, spo2_pct = 36.8, 97.0
    while t_s < _HOURS * 3600:
        lines += ["", "[[keyframe]]", f"t_s = {t_s}"]
        if t_s and chance.random() < 0.15:
            lines.append('strap = "off"')
        else:
            lines += [
                f"temp_c = {temp_c:.1f}",
                f"spo2_pct = {spo2_pct:.0f}",
                f"hr_bpm = {chance.randrange(65, 115)}",
            ]
        t_s += chance.randrange(180, 900)
        temp_c = chance.choice((36.8, 37.2, 38.4, 39.1))
        spo2_pct = chance.choice((97.0, 96.0, 94.0, 88.0))
    path.write_text("\n".join(lines) + "\n")
    return path
