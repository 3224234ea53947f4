"""What a binding's stored records say, for the host's own grades: fresh readings, signs over time. Reads only."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from crs_core import codes, units
from crs_core.grade import guards
from crs_core.grade.rules import Rules

from host_agent.people.replay import Doubt, Possible, Sign, sign_of_grade

# (tx, device row, boot, t_ms) → (utc_ms, bound_ms); None while nothing dates it
Resolve = Callable[[sqlite3.Connection, int, int, int], tuple[int, int] | None]
# Readings looked at for a saturation that fell: more than a reassuring entry can outlast.
_READINGS = 3000
_RECENT = 100


def fresh(
    tx: sqlite3.Connection, binding: int, rules: Rules, now_ms: int, resolve: Resolve
) -> tuple[dict[str, Any], dict[str, int]]:
    """(keys of the vocabulary that the wearable answers now, age in ms of "temperature_cc" and "spo2_tenths").

    The temperature is that of the newest reading or none, as on the wearable; saturation and heart rate are kept from
    an earlier one for as long as they may count.
    """
    inputs: dict[str, Any] = {}
    ages: dict[str, int] = {}
    is_newest = True
    for device, boot, t_ms, temp_cc, spo2_tenths, hr_bpm, pi_hundredths, status in _newest(tx, binding):
        moment = resolve(tx, device, boot, t_ms)
        age_ms = None if moment is None or moment[0] - moment[1] > now_ms else max(0, now_ms - moment[0])
        site, wear = units.site_of(status), units.wear_of(status)
        if is_newest and not guards.temp(
            temp_cc, units.temp_state_of(status), site, wear, age_ms, rules.grade_temp_max_age_ms
        ):
            inputs |= {"temperature_cc": temp_cc, "site": units.SITES[site]}
            ages["temperature_cc"] = age_ms or 0
        is_newest = False
        if age_ms is not None and age_ms > rules.grade_ppg_max_age_ms:
            break
        state = units.ppg_state_of(status)
        usable = wear != units.WEAR_OFF
        if usable and "spo2_tenths" not in inputs and not guards.ppg(
            spo2_tenths, pi_hundredths, state, age_ms, rules.grade_ppg_max_age_ms, rules.pi_min_hundredths
        ):  # fmt: skip
            inputs["spo2_tenths"] = spo2_tenths
            ages["spo2_tenths"] = age_ms or 0
        if usable and "hr_bpm" not in inputs and guards.heart_rate_usable(
            hr_bpm, state, age_ms, rules.grade_ppg_max_age_ms
        ):  # fmt: skip
            inputs["hr_bpm"] = hr_bpm
    if _is_stuck(tx, binding):
        for key in ("temperature_cc", "site"):
            inputs.pop(key, None)
        ages.pop("temperature_cc", None)
    return inputs, ages


def _newest(tx: sqlite3.Connection, binding: int) -> list[tuple[Any, ...]]:
    return tx.execute(
        "SELECT j.device, r.boot, r.t_ms, r.temp_cc, r.spo2_tenths, r.hr_bpm, r.pi_hundredths, r.status"
        " FROM journals j JOIN readings r ON r.journal = j.id WHERE j.binding = ? AND j.is_current = 1"
        " ORDER BY r.seq DESC LIMIT ?",
        (binding, _RECENT),
    ).fetchall()


def _is_stuck(tx: sqlite3.Connection, binding: int) -> bool:
    """Whether the wearable's newest grade says that its thermometer has stood still for too long."""
    row = tx.execute(
        "SELECT g.reasons FROM grades g JOIN journals j ON j.id = g.journal WHERE j.binding = ? AND j.is_current = 1"
        " ORDER BY g.seq DESC LIMIT 1",
        (binding,),
    ).fetchone()
    return row is not None and codes.R_TEMP_FLAT in row[0]


def signs(
    tx: sqlite3.Connection, binding: int, rules: Rules, now_ms: int, resolve: Resolve
) -> Iterator[Sign]:
    """Everything that the wearable said about the fever, and what speaks against entries made before.

    What nothing dates counts as of now when it worries, and not at all when it does not.
    """
    last: tuple[int, Any] | None = None
    for journal, device, boot, t_ms, fever, why in tx.execute(
        "SELECT j.id, j.device, g.boot, g.t_ms, g.fever, g.reasons FROM grades g JOIN journals j ON j.id = g.journal"
        " WHERE j.binding = ? AND g.scale = ? ORDER BY j.id, g.seq",
        (binding, codes.SCALE_ASTCT),
    ).fetchall():
        said = sign_of_grade(0, fever, why, rules)
        if (journal, said) == last:
            continue
        last = (journal, said)
        moment = resolve(tx, device, boot, t_ms)
        if moment is not None or fever == codes.FEVER_MET:
            yield said._replace(utc_ms=moment[0] if moment else now_ms)
    for device, boot, t_ms, alarm, priority in tx.execute(
        "SELECT j.device, a.boot, a.t_ms, a.alarm, a.priority FROM alarm_changes a JOIN journals j ON j.id = a.journal"
        " WHERE j.binding = ? AND a.alarm IN (?, ?) ORDER BY j.id, a.seq",
        (binding, codes.POSSIBLE_FEVER, codes.PATIENT_BUTTON),
    ).fetchall():
        moment = resolve(tx, device, boot, t_ms)
        utc_ms = moment[0] if moment else now_ms
        if alarm == codes.POSSIBLE_FEVER:
            if moment or priority:
                yield Possible(utc_ms, priority > 0)
        elif priority:
            yield Doubt(utc_ms)
    for device, boot, t_ms in _falls(tx, binding, rules):
        moment = resolve(tx, device, boot, t_ms)
        yield Doubt(moment[0] if moment else now_ms)


def _falls(tx: sqlite3.Connection, binding: int, rules: Rules) -> Iterator[tuple[int, int, int]]:
    """(device, boot, t_ms) of each usable saturation below the MEDIUM limit after one at or above it, or the first."""
    rows = tx.execute(
        "SELECT j.device, r.boot, r.t_ms, r.spo2_tenths, r.pi_hundredths, r.status FROM journals j"
        " JOIN readings r ON r.journal = j.id WHERE j.binding = ? AND j.is_current = 1 ORDER BY r.seq DESC LIMIT ?",
        (binding, _READINGS),
    ).fetchall()
    is_low = False
    for device, boot, t_ms, spo2_tenths, pi_hundredths, status in reversed(rows):
        if guards.ppg(spo2_tenths, pi_hundredths, units.ppg_state_of(status), 0, 0, rules.pi_min_hundredths):
            continue
        was_low, is_low = is_low, spo2_tenths < rules.spo2_medium_tenths
        if is_low and not was_low:
            yield device, boot, t_ms
