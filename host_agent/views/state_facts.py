"""The facts that `device_state` settles, out of the rows of the store and the running agent's answer."""

from collections.abc import Mapping
from typing import Any

from crs_core import units

from host_agent.text import utc_ms_of_iso
from host_agent.views.device_state import READING_INTERVAL_S, AlarmFact, Battery, Facts


def facts_of(device: Mapping[str, Any], seen: Mapping[str, Any] | None, now_ms: int) -> Facts:
    """Of one wearable: `device` from the store, `seen` from the agent (None: no agent runs; {}: it knows nothing)."""
    pause, patient, journal = device["pause"], device["patient"], device["journal"]
    facts = Facts(
        now_ms,
        was_heard=device["journal"] is not None or device["newest_reading"] is not None,
        binding=patient["state"] if patient else "",
        is_quarantined=bool(journal and journal["quarantined"]),
        pause_why=pause["why"] if pause else "",
        pause_until_utc_ms=_utc_ms(pause and pause["until"]),
        interval_s=device.get("reading_interval_s") or READING_INTERVAL_S,
        last_value_utc_ms=_utc_ms(device["last_value"]),
        last_contact_utc_ms=_utc_ms(device["last_seen"]),
        sound_paused_until_utc_ms=_utc_ms(device["sound_paused_until"]),
        alarms=tuple(
            AlarmFact(
                one["id"], one["raised_by"] == "wearable", one["accepted_by"] or "", _utc_ms(one["accepted_until"]),
                _utc_ms(one["since"]), one.get("acceptance_on_wearable") is False,
                one.get("accepted_over") or "",
            )
            for one in device["alarms"]
        ),
    )  # fmt: skip
    return facts if seen is None else _with_agent(facts, seen)


def _with_agent(facts: Facts, seen: Mapping[str, Any]) -> Facts:
    """The same with what the running agent knows; one of an earlier version gives no ages of its own."""
    now_ms, link, live = facts.now_utc_ms, seen.get("link") or {}, seen.get("live")
    facts = facts._replace(
        link=link.get("state", "never opened"), lent_until_utc_ms=link.get("until_utc_ms"),
        is_in_maintenance=bool(seen.get("maintenance")), is_caught_up=bool(seen.get("caught_up")),
        is_bound_elsewhere=bool(seen.get("bound")) and facts.is_quarantined and not facts.binding,
    )  # fmt: skip
    if live is not None:
        status = live["status"]
        has_temperature, has_oxygen = _measured(status)
        facts = facts._replace(
            was_heard=True,
            live_age_s=age_s(seen.get("live_age_s"), seen.get("live_utc_ms"), now_ms),
            has_temperature=has_temperature,
            has_oxygen=has_oxygen,
            says_paused=bool(status & units.STATUS_PAUSED),
            is_battery_low=bool(status & units.STATUS_LOW_BATTERY),
            live_alarms_utc_ms=seen.get("alarms_utc_ms", seen.get("live_utc_ms")),
            live_alarms=frozenset(alarm for alarm, priority in live["alarms"] if priority),
        )
    battery = seen.get("battery")
    if battery and battery["heard_utc_ms"] is not None:
        heard_s = age_s(seen.get("battery_age_s"), battery["heard_utc_ms"], now_ms)
        facts = facts._replace(battery=Battery(battery, heard_s or 0.0))
    return facts


def age_s(by_steady_clock_s: float | None, utc_ms: int | None, now_ms: int) -> float | None:
    """An age by the clock that nobody sets; without one by the wall clock, and then never below 0."""
    if by_steady_clock_s is not None:
        return by_steady_clock_s
    return None if utc_ms is None else max(0.0, (now_ms - utc_ms) / 1000)


def _measured(status: int) -> tuple[bool, bool]:
    """Whether a temperature and an oxygen value of the body are measured now; a light that rests by plan is no loss."""
    if units.wear_of(status) == units.WEAR_OFF:
        return False, False
    has_oxygen = units.ppg_state_of(status) in (units.PPG_VALID, units.PPG_RESTING)
    return bool(units.temp_state_of(status) == units.TEMP_VALID), bool(has_oxygen)


def _utc_ms(at: str | None) -> int | None:
    return None if at is None else utc_ms_of_iso(at)
