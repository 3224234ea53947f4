"""What one page for the emergency department says about one patient, in JSON types, for every place that shows it.

Each list has the most important first, because what does not fit on a page is left out from its end and counted.
It says what was measured and entered; a diagnosis stands in it only as a signed record.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from crs_core.grade import rules
from crs_core.grade.scales import MISSING_TEXTS

from host_agent import NOTICE
from host_agent.patient.contact import contact_of
from host_agent.patient.profile import day_number, decode_profile
from host_agent.people.regrade import Regraded, regrade
from host_agent.store.bindings import Binding
from host_agent.store.db import Tx
from host_agent.store.gaps import gaps
from host_agent.store.grades import grades
from host_agent.store.journals import current_journal_of_binding, journals_of_binding
from host_agent.sync.timebase import load_timebase, record_time
from host_agent.text import (
    HIGHEST_COMPUTED,
    iso_utc,
    local_of_iso,
    local_time,
    prompt_names,
    scale_name,
    span_text,
    utc_ms_of_iso,
)
from host_agent.version import program_version
from host_agent.views.context_rows import entry_rows, signed_rows
from host_agent.views.entry_words import entry_words
from host_agent.views.hours import Stretch, measured
from host_agent.views.reading_text import reading_text
from host_agent.views.report_alarms import alarms_between
from host_agent.views.state import newest_reading, scale_grades, wearable_grade
from host_agent.views.trend import Course, course

LONGEST_MS = 14 * 86_400_000
_TOLD_GAP_MS = 60_000  # shorter losses are in the sums alone
_GAPS_TOLD = 3  # the longest ones


class _Asked(NamedTuple):
    """The question. Times are UTC ms."""

    tx: Tx
    binding: Binding
    from_ms: int
    now_ms: int


def summary(tx: Tx, binding: Binding, now_ms: int, span_ms: int) -> dict[str, Any]:
    """The last `span_ms`, at most LONGEST_MS, of a binding that is open. Nothing in it depends on anything else."""
    from_ms = now_ms - span_ms
    asked = _Asked(tx, binding, from_ms, now_ms)
    contact = contact_of(tx, binding.device, binding.row)
    profile = decode_profile(binding.profile)
    journal = current_journal_of_binding(tx, binding.row)
    newest = newest_reading(tx, journal, now_ms) if journal else None
    graded = wearable_grade(tx, journal, now_ms) if journal else None
    whole = regrade(tx, binding.row, now_ms, record_time)
    curve = course(tx, binding, from_ms, now_ms)
    since_ms = max(from_ms, binding.started_utc_ms)
    stretches, undated = measured(tx, binding, since_ms, now_ms) if since_ms < now_ms else ([], 0)
    alarms = alarms_between(tx, binding, from_ms, now_ms)
    own_simulated = any(one["simulated"] for one in alarms) or bool(newest and newest["simulated"])
    return {
        "notice": NOTICE, "version": program_version(), "made": iso_utc(now_ms),
        "made_text": local_time(now_ms, with_date=True, with_seconds=False), "from": iso_utc(from_ms),
        "from_text": local_time(from_ms, with_date=True, with_seconds=False), "span_text": span_text(span_ms / 1000),
        "simulated": bool(binding.simulated) or own_simulated,
        "patient": binding.patient or "", "wearable": contact.device, "device_id": binding.device_id.hex(),
        "binding_id": binding.binding_id.hex(), "unit": contact.unit,
        "day": day_number(binding.profile, now_ms), "infusion_date": profile.get("infusion_date"),
        "product": profile.get("product"), "age_years": profile.get("age_years"), "site": profile.get("site"),
        "usual_systolic_mmhg": profile.get("systolic_mmhg"),
        "call": {"care_team": contact.care_team, "emergency": contact.emergency},
        "newest": reading_text(newest),
        "course": _chart(curve, from_ms, now_ms),
        "alarms": alarms,
        "entries": _entries(asked),
        "signed": [{"text": f"{local_of_iso(one['at'], with_date=True, with_seconds=False)}  {one['text']}"}
                   for one in reversed(list(signed_rows(tx, binding.row)))],
        "grades": list(_grades(asked, graded, whole, newest)),
        "unknown": [{"text": text} for text in (
            *_unknown(asked, whole), *_not_measured(stretches), *_not_dated(asked, undated, curve.later))],
    }  # fmt: skip


def _chart(curve: Course, from_ms: int, now_ms: int) -> dict[str, Any]:
    """Points as lists (UTC ms, lowest and highest temperature, lowest and highest SpO2); None breaks a line."""
    return {
        "from_ms": from_ms, "to_ms": now_ms, "step_ms": curve.step_ms,
        "points": [list(one) for one in curve.with_gaps()],
        "events": [{"utc_ms": at, "text": text} for at, text in curve.happened],
    }  # fmt: skip


def _entries(asked: _Asked) -> list[dict[str, Any]]:
    """Newest first; one that was corrected is left out, because the entry that corrects it says what counts."""
    rows = [row for row in entry_rows(asked.tx, asked.binding.row) if not row["corrected_by"]]
    rows = [row for row in rows if asked.from_ms <= utc_ms_of_iso(row["at"]) <= asked.now_ms]
    return [
        {"at": row["at"], "account": row["account"],
         "text": f"{local_of_iso(row['at'], with_date=True, with_seconds=False)}  {row['account']}:"
         f" {entry_words(row['values'])}."}
        for row in reversed(rows)
    ]  # fmt: skip


def _grades(
    asked: _Asked, graded: dict[str, Any] | None, whole: Regraded, newest: dict[str, Any] | None
) -> Iterator[dict[str, Any]]:
    """Every grade as an interval, and the highest that was known in this time, which no later value takes back."""
    if graded is not None:
        age_s = newest["age_s"] if newest else None
        is_old = age_s is None or age_s * 1000 > rules.DEFAULT.grade_temp_max_age_ms
        lead = "not known now, the data is too old. Last: " if is_old else ""
        yield {"text": f"By the wearable alone: {lead}{graded['text']}"}
    for one in scale_grades(whole, asked.now_ms, asked.binding.simulated).values():
        yield {"text": one["text"]}
    if (highest := _highest(asked)) is not None:
        at = local_time(highest.utc_ms, with_date=True, with_seconds=False)
        yield {
            "text": f"Highest of the wearable in this time: CRS ({highest.scale}): at least {highest.lower},"
            f" first at {at}. Not signed."
        }
    if graded is None and not whole.grades:
        yield {"text": "Not gradable: nothing was graded or entered yet."}


class _Highest(NamedTuple):
    """The highest lower bound that a wearable graded in a span, and when first."""

    lower: int
    utc_ms: int
    scale: str


def _highest(asked: _Asked) -> _Highest | None:
    timebase = load_timebase(asked.tx, asked.binding.device)
    found: _Highest | None = None
    for journal in journals_of_binding(asked.tx, asked.binding.row):
        for row in grades(asked.tx, journal.id):
            if not row.lower or row.lower > HIGHEST_COMPUTED or (found and row.lower <= found.lower):
                continue
            moment = timebase.resolve_stored(row.boot, row.t_ms)
            if moment is not None and asked.from_ms <= moment.utc_ms <= asked.now_ms:
                found = _Highest(row.lower, moment.utc_ms, scale_name(row.scale, row.scale_version))
    return found


def _unknown(asked: _Asked, whole: Regraded) -> Iterator[str]:
    """What a grade lacks and what nobody entered."""
    missing = dict.fromkeys(key for one in whole.grades.values() for key in one["missing"])
    if missing:
        yield f"Not known for the grades: {', '.join(MISSING_TEXTS[key] for key in missing)}."
    if not whole.grades:
        yield "Nothing was entered: blood pressure, oxygen and the neurological check are not known."
    if whole.prompts.due or whole.prompts.missed:
        yield f"Asked for and not entered: {prompt_names([*whole.prompts.missed, *whole.prompts.due])}."


def _not_dated(asked: _Asked, undated: int, later: int) -> Iterator[str]:
    """What is left out of the course, and why."""
    if asked.binding.started_utc_ms > asked.from_ms:
        at = local_time(asked.binding.started_utc_ms, with_date=True, with_seconds=False)
        yield f"Nothing before {at}: the patient began to wear the wearable then."
    if undated:
        yield f"{undated} readings without a known time are counted as lost."
    if later:
        yield "Readings lie after the time that this laptop shows: its clock was changed. The chart leaves them out."
    lost = sum(
        one.last_seq - one.first_seq + 1
        for journal in journals_of_binding(asked.tx, asked.binding.row)
        for one in gaps(asked.tx, journal.id)
        if one.received_utc_ms >= asked.from_ms
    )
    if lost:
        yield f"{lost} records of the wearable were lost before they reached this laptop."


def _not_measured(stretches: list[Stretch]) -> Iterator[str]:
    """How long each value was not measured, the longest times of it, and how much was an announced pause."""
    span_ms = sum(one.end - one.start for one in stretches)
    for kind, name in (("temperature", "Temperature"), ("spo2", "SpO2")):
        joined: list[tuple[int, int]] = []
        paused_ms = 0
        for one in stretches:
            if kind in one.kinds:
                continue
            paused_ms += one.end - one.start if "pause" in one.kinds else 0
            if joined and joined[-1][1] == one.start:
                joined[-1] = joined[-1][0], one.end
            else:
                joined.append((one.start, one.end))
        if not joined:
            continue
        lost_ms = sum(end - start for start, end in joined)
        long = sorted(
            (one for one in joined if one[1] - one[0] >= _TOLD_GAP_MS), key=lambda one: one[0] - one[1]
        )
        told = [
            f"{local_time(start, with_date=True, with_seconds=False)} to {local_time(end, with_seconds=False)}"
            for start, end in sorted(long[:_GAPS_TOLD])
        ]
        told += [f"{len(long) - _GAPS_TOLD} more"] if len(long) > _GAPS_TOLD else []
        pause = f", {span_text(paused_ms / 1000)} of it in an announced pause" if paused_ms else ""
        times = f": {', '.join(told)}" if told else ""
        yield f"{name} was not measured for {span_text(lost_ms / 1000)} of {span_text(span_ms / 1000)}{pause}{times}."
