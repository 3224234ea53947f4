"""What the stored records of a binding say, for the host's own grades: fresh readings, and signs over time."""

from collections.abc import Callable, Iterator
from typing import Any

from crs_core import codes, units
from crs_core.grade import guards
from crs_core.grade.rules import Rules

from host_agent.people.replay import Doubt, Possible, Sign, sign_of_grade
from host_agent.store.alarm_changes import alarm_changes
from host_agent.store.db import Tx
from host_agent.store.grades import grades, newest_grade
from host_agent.store.journals import current_journal_of_binding, journals_of_binding
from host_agent.store.readings import newest_readings
from host_agent.store.rows import Journal

# (tx, device row, boot, t_ms) → (utc_ms, bound_ms); None while the time is not known
Resolve = Callable[[Tx, int, int, int], tuple[int, int] | None]
# Readings looked at for a saturation that fell: more than a reassuring entry can outlast.
_READINGS = 3000
_RECENT = 100


def fresh(
    tx: Tx, binding: int, rules: Rules, now_ms: int, resolve: Resolve
) -> tuple[dict[str, Any], dict[str, int]]:
    """(keys of the vocabulary that the wearable answers now, age in ms of "temperature_cc" and "spo2_tenths").

    The temperature is that of the newest reading or none, as on the wearable; saturation and heart rate are kept from
    an earlier one for as long as they may count.
    """
    inputs: dict[str, Any] = {}
    ages: dict[str, int] = {}
    journal = current_journal_of_binding(tx, binding)
    if journal is None:
        return inputs, ages
    is_newest = True
    for one in newest_readings(tx, journal.id, _RECENT):
        moment = resolve(tx, journal.device, one.boot, one.t_ms)
        age_ms = None if moment is None or moment[0] - moment[1] > now_ms else max(0, now_ms - moment[0])
        site, wear = units.site_of(one.status), units.wear_of(one.status)
        if (
            is_newest
            and site < len(units.SITES)
            and not guards.temp(
                one.temp_cc, units.temp_state_of(one.status), site, wear, age_ms, rules.grade_temp_max_age_ms
            )
        ):
            inputs |= {"temperature_cc": one.temp_cc, "site": units.SITES[site]}
            ages["temperature_cc"] = age_ms or 0
        is_newest = False
        if age_ms is not None and age_ms > rules.grade_ppg_max_age_ms:
            break
        state = units.ppg_state_of(one.status)
        usable = wear != units.WEAR_OFF
        if usable and "spo2_tenths" not in inputs and not guards.ppg(
            one.spo2_tenths, one.pi_hundredths, state, age_ms, rules.grade_ppg_max_age_ms, rules.pi_min_hundredths
        ):  # fmt: skip
            inputs["spo2_tenths"] = one.spo2_tenths
            ages["spo2_tenths"] = age_ms or 0
        if usable and "hr_bpm" not in inputs and guards.heart_rate_usable(
            one.hr_bpm, state, age_ms, rules.grade_ppg_max_age_ms
        ):  # fmt: skip
            inputs["hr_bpm"] = one.hr_bpm
    if _is_stuck(tx, journal):
        for key in ("temperature_cc", "site"):
            inputs.pop(key, None)
        ages.pop("temperature_cc", None)
    return inputs, ages


def _is_stuck(tx: Tx, journal: Journal) -> bool:
    """Whether the wearable's newest grade says that its thermometer has stood still for too long."""
    grade = newest_grade(tx, journal.id)
    return grade is not None and codes.R_TEMP_FLAT in grade.reasons


def signs(tx: Tx, binding: int, rules: Rules, now_ms: int, resolve: Resolve) -> Iterator[Sign]:
    """Everything that the wearable said about the fever, and what speaks against entries made before.

    A worrying record without a known time counts as of now; a reassuring one without a known time does not count.
    """
    journals = journals_of_binding(tx, binding)
    for journal in journals:
        last: Sign | None = None
        for grade in grades(tx, journal.id):
            said = sign_of_grade(0, grade.fever, grade.reasons, rules)
            if grade.scale != codes.SCALE_ASTCT or said == last:
                continue
            last = said
            moment = resolve(tx, journal.device, grade.boot, grade.t_ms)
            if moment is not None or grade.fever == codes.FEVER_MET:
                yield said._replace(utc_ms=moment[0] if moment else now_ms)
    for journal in journals:
        for change in alarm_changes(tx, journal.id):
            if change.alarm not in (codes.POSSIBLE_FEVER, codes.PATIENT_BUTTON):
                continue
            moment = resolve(tx, journal.device, change.boot, change.t_ms)
            utc_ms = moment[0] if moment else now_ms
            if change.alarm == codes.POSSIBLE_FEVER:
                if moment or change.priority:
                    yield Possible(utc_ms, change.priority > 0)
            elif change.priority:
                yield Doubt(utc_ms)
    current = current_journal_of_binding(tx, binding)
    if current is not None:
        for boot, t_ms in _falls(tx, current, rules):
            moment = resolve(tx, current.device, boot, t_ms)
            yield Doubt(moment[0] if moment else now_ms)


def _falls(tx: Tx, journal: Journal, rules: Rules) -> Iterator[tuple[int, int]]:
    """(boot, t_ms) of each usable saturation below the MEDIUM limit after one at or above it, or the first."""
    is_low = False
    for one in reversed(newest_readings(tx, journal.id, _READINGS)):
        state = units.ppg_state_of(one.status)
        if one.spo2_tenths is None or guards.ppg(
            one.spo2_tenths, one.pi_hundredths, state, 0, 0, rules.pi_min_hundredths
        ):
            continue
        was_low, is_low = is_low, one.spo2_tenths < rules.spo2_medium_tenths
        if is_low and not was_low:
            yield one.boot, one.t_ms
