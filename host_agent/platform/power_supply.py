"""Whether this computer runs on its battery, and for how long: read from /sys/class/power_supply (Linux).

On another system nothing is known of it. What a supply does not say, or says so that nobody can read it, is not known.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path("/sys/class/power_supply")
_LEVELS = {"critical": 5, "low": 15}  # of a battery that has words and no percentage


class Power(NamedTuple):
    """`on_battery` None: not known, or a computer without a battery. `percent` and `minutes` (left) None: not known."""

    on_battery: bool | None
    percent: int | None = None
    minutes: int | None = None


def read_power(folder: Path = FOLDER) -> Power:
    """The state now. Batteries of mice, headsets and the like are none of this computer."""
    supplies = list(_supplies(folder))
    batteries = [
        one for one in supplies if one.get("type") in ("Battery", "UPS") and one.get("present") != "0"
    ]
    batteries = [one for one in batteries if one.get("scope") != "Device"]
    if not batteries:
        return Power(None)
    plugs = [
        one["online"] for one in supplies if one.get("type") not in ("Battery", "UPS") and "online" in one
    ]
    is_fed = any(online != "0" for online in plugs)
    states = {one.get("status", "").lower() for one in batteries}
    # a charger that is too weak is plugged in, and the battery runs out all the same
    on_battery = "discharging" in states or (bool(plugs) and not is_fed)
    if not on_battery and not plugs and not states & {"charging", "full", "not charging"}:
        return Power(None)
    return Power(on_battery, _percent(batteries), _minutes(batteries) if on_battery else None)


def _supplies(folder: Path) -> Iterator[dict[str, str]]:
    try:
        places = sorted(folder.iterdir())
    except OSError:
        return
    for place in places:
        found = {}
        for name in (
            "type", "scope", "present", "online", "status", "capacity", "capacity_level",
            "energy_now", "energy_full", "power_now", "charge_now", "charge_full", "current_now",
        ):  # fmt: skip
            try:
                found[name] = (place / name).read_text().strip()
            except (OSError, UnicodeError):
                continue
        yield found


def _percent(batteries: list[dict[str, str]]) -> int | None:
    """Of all batteries together; where they do not tell their sizes, that of the fullest: it is used last."""
    for now, full in (("energy_now", "energy_full"), ("charge_now", "charge_full")):
        sums = [(_number(one, now), _number(one, full)) for one in batteries]
        if all(part is not None and whole for part, whole in sums):
            part, whole = (sum(one[at] or 0 for one in sums) for at in (0, 1))
            return max(0, min(100, 100 * part // whole))
    told = [one for one in map(_told_percent, batteries) if one is not None]
    return max(told, default=None)


def _told_percent(battery: dict[str, str]) -> int | None:
    percent = _number(battery, "capacity")
    if percent is None:
        return _LEVELS.get(battery.get("capacity_level", "").lower())
    return percent if percent <= 100 else None


def _minutes(batteries: list[dict[str, str]]) -> int | None:
    for now, drawn in (("energy_now", "power_now"), ("charge_now", "current_now")):
        left = [_number(one, now) for one in batteries]
        flows = [_number(one, drawn) for one in batteries]
        together = sum(flow or 0 for flow in flows)
        if all(one is not None for one in left) and together:
            return 60 * sum(one or 0 for one in left) // together
    return None


def _number(supply: dict[str, str], name: str) -> int | None:
    """Not below 0: some drivers tell the current of a discharge as negative."""
    try:
        return abs(int(supply[name]))
    except (KeyError, ValueError):
        return None
