"""Compares one patient's course with the truth: fevers found and when, false alarms. report.py adds them up."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from crs_core import codes, units
from crs_core.grade import rules

from tools.lab.evaluate import baselines, machine, own_limits, prompts
from tools.lab.evaluate import truth as true
from tools.lab.evaluate.body import STEP_S
from tools.lab.evaluate.illness import DAY_S
from tools.lab.evaluate.machine import Alarm, Course
from tools.lab.evaluate.patient import Patient, simulate
from tools.lab.evaluate.truth import NEAR_S, Span, Truth

RAW = "axilla alone"
ONCE = "prompts answered once"
AGAIN = "prompts answered, again every hour"
SAMPLE = "raw threshold per sample"
METHODS = (RAW, ONCE, AGAIN, SAMPLE, *baselines.CHECKS)
LOSSES = (codes.SPO2_LOST, codes.PULSE_LOST)


@dataclass
class Outcome:
    """One patient's part of the figures. Times are seconds.

    `told_s`: from the crossing to the first finding, prompts answered once, 0 when found before it. `warming`: times
    after a loss at which the probe counted as settled and read below 38.00 at a site at or above 38.00.
    """

    number: int
    product: str
    days: int
    fevers: int = 0
    brief_fevers: int = 0
    found: Counter[str] = field(default_factory=Counter)  # method: fevers found
    told_s: list[int] = field(default_factory=list)
    onset: bool = False
    onset_found: Counter[str] = field(default_factory=Counter)
    onset_s: dict[str, int | None] = field(default_factory=dict)  # method: seconds from crossing to found
    verdicts: Counter[tuple[str, int, str]] = field(default_factory=Counter)  # (alarm, priority, verdict)
    false_by_day: list[tuple[int, int]] = field(default_factory=list)  # (MEDIUM, HIGH) of each day
    early: int = 0  # possible-fever alarms called false although a fever followed within 2 h
    technical: Counter[tuple[str, int]] = field(default_factory=Counter)
    raw_edges: Counter[str] = field(default_factory=Counter)  # verdicts of the raw threshold's crossings
    missed: Counter[str] = field(default_factory=Counter)  # why fevers were not found with prompts
    ended_early: int = 0  # FEVER alarms that ended while the oral temperature was still at or above 38.00
    ended_after_loss: int = 0  # of these, within 20 min of a time without a usable temperature
    warming: int = 0
    better_by_loss: list[str] = field(default_factory=list)
    silent_s: int = 0
    unusable_s: int = 0


def is_found(fever: Span, tellings: list[Span]) -> bool:
    """True when a method says fever at any time from 10 min before the fever until its end."""
    return any(one.start_s < fever.end_s and fever.start_s - NEAR_S <= one.end_s for one in tellings)


def first_told(fever: Span, until_s: int, tellings: list[Span]) -> int | None:
    """Seconds from the crossing to the first telling before `until_s`; down to -600 for one before the crossing."""
    from_s = fever.start_s - NEAR_S
    times = [max(one.start_s, from_s) for one in tellings if one.end_s >= from_s and one.start_s < until_s]
    return min(times) - fever.start_s if times else None


def onset_of(patient: Patient, truth: Truth) -> Span | None:
    """First true fever of the syndrome; None when the patient has none in the time watched."""
    if patient.ill.syndrome is None:
        return None
    begin_s, end_s = patient.ill.syndrome
    for fever in truth.fevers:
        if fever.end_s > begin_s and fever.start_s < end_s:
            return fever
    return None


def tellings_of(patient: Patient, course: Course, seed: int) -> dict[str, list[Span]]:
    """By method, the spans in which it says fever. A reading by a person has no length."""

    def moments(times: list[int]) -> list[Span]:
        return [Span(at_s, at_s) for at_s in times]

    def dice(name: str) -> Random:
        return Random(f"{seed}/{patient.number}/{name}")

    fever = [Span(one.start_s, one.end_s) for one in course.alarms if one.alarm == codes.FEVER]
    once = prompts.answers(dice("answers"), patient.body, course.alarms)
    again = prompts.answers(dice("answers"), patient.body, course.alarms, prompts.REPEAT_S)
    told = {
        RAW: fever,
        ONCE: fever + moments(prompts.met(once)),
        AGAIN: fever + moments(prompts.met(again)),
        SAMPLE: baselines.raw_threshold(patient.worn),
    }
    for name, hours in baselines.CHECKS.items():
        told[name] = moments(baselines.checks(dice(name), patient.body, hours))
    return told


def score(patient: Patient, course: Course, seed: int) -> Outcome:
    """Compare one course with the truth."""
    truth = true.of(patient.body)
    out = Outcome(patient.number, patient.product.name, patient.days)
    out.fevers, out.brief_fevers = len(truth.fevers), len(truth.brief_fevers)
    told = tellings_of(patient, course, seed)
    for fever in truth.fevers:
        for method in METHODS:
            out.found[method] += is_found(fever, told[method])
        if is_found(fever, told[ONCE]):
            first_s = first_told(fever, fever.end_s, told[ONCE])
            out.told_s.append(max(first_s or 0, 0))
        if not is_found(fever, told[AGAIN]):
            out.missed[why_missed(fever, patient, course.alarms)] += 1
    onset = onset_of(patient, truth)
    if onset and patient.ill.syndrome:
        out.onset = True
        until_s = max(int(patient.ill.syndrome[1]), onset.end_s)
        for method in METHODS:
            out.onset_found[method] += is_found(onset, told[method])
            out.onset_s[method] = first_told(onset, until_s, told[method])
    _judge(out, truth, course, patient.days)
    out.raw_edges.update(
        true.verdict(truth, codes.FEVER, codes.PRIORITY_MEDIUM, one.start_s) for one in told[SAMPLE]
    )
    for one in told[RAW]:
        last = one.end_s // STEP_S
        if last < len(patient.body.oral_cc) and patient.body.oral_cc[last] >= true.FEVER_CC:
            out.ended_early += 1
            before = patient.worn.temp_state[max(last - 120, 0) : last]
            out.ended_after_loss += any(state != units.TEMP_VALID for state in before)
    out.warming = warming_below(patient)
    out.better_by_loss = course.better_by_loss
    out.silent_s, out.unusable_s = course.silent_s, course.unusable_s
    return out


def _judge(out: Outcome, truth: Truth, course: Course, days: int) -> None:
    by_day = [[0, 0] for _ in range(days)]
    for alarm in course.alarms:
        if alarm.alarm not in machine.PHYSIOLOGICAL or alarm.alarm in LOSSES:
            out.technical[(alarm.name, alarm.priority)] += 1
        if alarm.alarm not in machine.PHYSIOLOGICAL or alarm.alarm == codes.SPO2_LOST:
            continue  # a lost signal is counted with the technical alarms
        say = true.verdict(truth, alarm.alarm, alarm.priority, alarm.start_s)
        out.verdicts[(alarm.name, alarm.priority, say)] += 1
        if say == true.FALSE:
            by_day[alarm.start_s // DAY_S][alarm.priority == codes.PRIORITY_HIGH] += 1
            if alarm.alarm == codes.POSSIBLE_FEVER:
                out.early += any(0 <= one.start_s - alarm.start_s <= 7200 for one in truth.fevers)
    out.false_by_day = [(medium, high) for medium, high in by_day]


def warming_below(patient: Patient) -> int:
    """How often a probe that was put on again counted as settled below 38.00 under an arm at 38.00 or above."""
    worn, count, was_off, told = patient.worn, 0, False, False
    for state, seen_cc, site_cc in zip(worn.temp_state, worn.temp_cc, worn.site_cc, strict=True):
        if state == units.TEMP_OFF_BODY:
            was_off, told = True, False
        elif state == units.TEMP_VALID and was_off:
            if site_cc < true.FEVER_CC or seen_cc >= true.FEVER_CC:
                was_off = False
            elif not told:
                count, told = count + 1, True
    return count


def why_missed(fever: Span, patient: Patient, alarms: list[Alarm]) -> str:
    """The most likely reason why no method found a fever."""
    worn = patient.worn
    steps = range(fever.start_s // STEP_S, fever.end_s // STEP_S)
    usable = [worn.temp_cc[i] for i in steps if worn.temp_state[i] == units.TEMP_VALID]
    if len(usable) * 2 < len(steps):
        return "no usable temperature for most of it"
    prompted = [one for one in alarms if one.alarm == codes.POSSIBLE_FEVER]
    if any(one.start_s < fever.end_s and fever.start_s <= one.end_s for one in prompted):
        return "prompted, but no oral reading was taken during it"
    if max(usable) < 3750:
        return "axilla below 37.50 throughout, rise too small"
    return "axilla at 37.50 or above too briefly"


def one_patient(
    seed: int, number: int, days: int, rule_set: rules.Rules = rules.DEFAULT, with_own_limits: bool = False
) -> Outcome:
    """Simulate and score one patient; with `with_own_limits` under limits signed for this patient."""
    patient = simulate(seed, number, days)
    if with_own_limits:
        rule_set = own_limits.signed(patient.worn, rule_set)
    return score(patient, machine.run(patient.worn, rule_set=rule_set), seed)
