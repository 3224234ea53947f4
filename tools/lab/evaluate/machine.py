"""Runs the wearable's rules on a simulated sensor series; the result is a course of alarms and grades.

`alarms.step` runs each second and `grader.step` on each reading, as on the wearable. Values stay the same between two
readings. So when a step changed only the clock of the state, the seconds up to the last one before the next reading are
skipped; a delay that ends among them is then seen up to 9 s late. `every_second=True` skips none; the report compares
both.
"""

from dataclasses import dataclass, field
from typing import Any

from crs_core import code_texts, codes, units
from crs_core.grade import alarms, grader, rules
from crs_core.units import Reading, make_status

from tools.lab.evaluate.body import STEP_S
from tools.lab.evaluate.worn import NONE, Worn

PI_HUNDREDTHS = 120  # of a usable pulse; low perfusion is a state of the signal chain instead
PHYSIOLOGICAL = (
    codes.FEVER, codes.POSSIBLE_FEVER, codes.HYPOXAEMIA, codes.SPO2_LOST, codes.PULSE_LOST, codes.LIFE_THREATENING,
    codes.MEASURE_BP,
)  # fmt: skip
# The delays that the documents state, whichever rules run.
STATED_SETTLING_S = rules.DEFAULT.settling_ms // 1000
STATED_SILENCE_S = rules.DEFAULT.no_data_low_ms // 1000
_BY_TEMP = (codes.FEVER, codes.POSSIBLE_FEVER)
_BY_PPG = (codes.HYPOXAEMIA,)
_BY_BOTH = (codes.LIFE_THREATENING,)


@dataclass(frozen=True)
class Alarm:
    """One alarm from its start to its end, seconds since midnight of day 0; `priority` is its highest."""

    alarm: int
    priority: int
    start_s: int
    end_s: int

    @property
    def name(self) -> str:
        return str(code_texts.ALARM_NAMES[self.alarm])


@dataclass
class Course:
    """The wearable's alarms and checks over one sensor series.

    `silent_s` is time without a usable temperature or saturation, past the stated delay, and without NO_DATA.
    """

    alarms: list[Alarm] = field(default_factory=list)
    better_by_loss: list[str] = field(default_factory=list)
    silent_s: int = 0
    unusable_s: int = 0
    steps: int = 0


def run(worn: Worn, *, every_second: bool = False, rule_set: rules.Rules = rules.DEFAULT) -> Course:
    """Run the rules over the whole series; the wearable is bound to a patient from its start."""
    return _Run(worn, rule_set, every_second).course


class _Run:
    def __init__(self, worn: Worn, rule_set: rules.Rules, every_second: bool) -> None:
        self.course = Course()
        self._rules = rule_set
        self._state = alarms.new_state()
        self._before: dict[int, int] = {}  # alarm: priority now
        self._open: dict[int, tuple[int, int]] = {}  # alarm: (start, highest priority)
        self._grader = grader.new_state()
        self._assessed: Any = None
        self._missing_s = [0, 0]
        self._usable_temp_cc: int | None = None
        self._usable_ppg: tuple[int | None, int | None] = (None, None)
        quiet = False
        steps = len(worn.temp_cc)
        for i in range(steps):
            at_s = i * STEP_S
            inputs = self._inputs(worn, i)
            self._read(inputs, at_s)
            last = self._state
            self._step(inputs, at_s)
            quiet = _same(last, self._state, at_s)
            second = at_s + 1
            while second < at_s + STEP_S:
                if quiet and not every_second:
                    second = at_s + STEP_S - 1
                last = self._state
                self._step(inputs, second)
                quiet = _same(last, self._state, second)
                second += 1
            self._watch_silence(inputs)
        for alarm, (start_s, priority) in self._open.items():
            self.course.alarms.append(Alarm(alarm, priority, start_s, steps * STEP_S))
        self.course.alarms.sort(key=lambda one: (one.start_s, one.alarm))

    def _inputs(self, worn: Worn, i: int) -> alarms.Inputs:
        spo2, hr = worn.spo2_tenths[i], worn.hr_bpm[i]
        return alarms.Inputs(
            temp_cc=worn.temp_cc[i],
            temp_state=worn.temp_state[i],
            temp_age_ms=0,
            spo2_tenths=None if spo2 == NONE else spo2,
            hr_bpm=None if hr == NONE else hr,
            pi_hundredths=None if spo2 == NONE else PI_HUNDREDTHS,
            ppg_state=worn.ppg_state[i],
            ppg_age_ms=0,
            wear=worn.wear[i],
            site=units.SITE_AXILLA,
            bound=1,
            faults=0,
            button=0,
            told=0,
        )

    def _step(self, inputs: alarms.Inputs, at_s: int) -> None:
        last = self._state
        self._state, changes = alarms.step(last, inputs, at_s * 1000, self._rules)
        self.course.steps += 1
        for alarm, priority in changes:
            before = self._before.get(alarm, 0)
            self._before[alarm] = priority
            if not before:
                self._open[alarm] = (at_s, priority)
            elif priority:
                self._open[alarm] = (self._open[alarm][0], max(self._open[alarm][1], priority))
            else:
                start_s, highest = self._open.pop(alarm)
                self.course.alarms.append(Alarm(alarm, highest, start_s, at_s))
            if priority < before and self._is_by_loss(alarm, inputs, before, last, at_s):
                fell = f"{code_texts.ALARM_NAMES[alarm]} fell at {at_s} s by a loss"
                self.course.better_by_loss.append(fell)
        if inputs.temp_state == units.TEMP_VALID:
            self._usable_temp_cc = inputs.temp_cc
        if inputs.ppg_state == units.PPG_VALID:
            self._usable_ppg = inputs.spo2_tenths, inputs.hr_bpm

    def _is_by_loss(self, alarm: int, inputs: alarms.Inputs, before: int, last: list[Any], at_s: int) -> bool:
        temp_lost = inputs.temp_state != units.TEMP_VALID
        ppg_lost = inputs.ppg_state != units.PPG_VALID
        if alarm in _BY_BOTH:
            if temp_lost == ppg_lost:
                return temp_lost
            # If it falls with the last value of the lost channel, too, the other channel ended it.
            _, changes = alarms.step(last, self._as_if_kept(inputs), at_s * 1000, self._rules)
            return dict(changes).get(alarm, before) >= before
        # FEVER replaces POSSIBLE_FEVER at the same priority.
        if alarm == codes.POSSIBLE_FEVER and self._before.get(codes.FEVER):
            return False
        return (alarm in _BY_TEMP and temp_lost) or (alarm in _BY_PPG and ppg_lost)

    def _as_if_kept(self, inputs: alarms.Inputs) -> alarms.Inputs:
        if inputs.temp_state != units.TEMP_VALID:
            kept_cc = self._usable_temp_cc
            inputs = inputs._replace(temp_cc=kept_cc, temp_state=units.TEMP_VALID, wear=units.WEAR_WORN)
        if inputs.ppg_state != units.PPG_VALID:
            spo2_tenths, hr_bpm = self._usable_ppg
            inputs = inputs._replace(
                spo2_tenths=spo2_tenths, hr_bpm=hr_bpm, pi_hundredths=PI_HUNDREDTHS, ppg_state=units.PPG_VALID
            )
        return inputs

    def _read(self, inputs: alarms.Inputs, at_s: int) -> None:
        status = make_status(inputs.site, inputs.temp_state, inputs.ppg_state, inputs.wear)
        values = inputs.temp_cc, inputs.spo2_tenths, inputs.hr_bpm, inputs.pi_hundredths
        reading = Reading(at_s * 1000, *values, status)
        self._grader, told = grader.step(self._grader, reading, reading.t_ms, self._rules)
        why = looks_better(self._assessed, told, inputs.temp_state != units.TEMP_VALID)
        if why:
            self.course.better_by_loss.append(f"{why} at {at_s} s")
        self._assessed = told

    def _watch_silence(self, inputs: alarms.Inputs) -> None:
        """Count time past the stated delays in which a channel has no usable value and NO_DATA is not active."""
        lost = (inputs.temp_state != units.TEMP_VALID, inputs.ppg_state != units.PPG_VALID)
        settling = inputs.temp_state in (units.TEMP_SETTLING, units.TEMP_ARTEFACT)
        allowed_s = (STATED_SETTLING_S if settling else STATED_SILENCE_S, STATED_SILENCE_S)
        silent = False
        for channel in (0, 1):
            self._missing_s[channel] = self._missing_s[channel] + STEP_S if lost[channel] else 0
            silent = silent or self._missing_s[channel] > allowed_s[channel] + STEP_S
        if any(lost):
            self.course.unusable_s += STEP_S
        if silent and not self._before.get(codes.NO_DATA):
            self.course.silent_s += STEP_S


def looks_better(before: Any, after: Any, lost: bool) -> str:
    """Why the assessment `after` a reading without a usable temperature looks better than `before`; "" if not."""
    if not lost or before is None:
        return ""
    if after.fever == codes.FEVER_NOT_MET:
        return "fever is called not met without a temperature"
    if before.lower is not None and after.lower is not None and after.lower < before.lower:
        return f"lower bound fell from {before.lower} to {after.lower}"
    if before.upper is not None and after.upper is not None and after.upper < before.upper:
        return f"upper bound fell from {before.upper} to {after.upper}"
    return ""


def _same(before: list[Any], after: list[Any], at_s: int) -> bool:
    """True when the step at `at_s` changed only the entries that store the time of the step."""
    now_ms = at_s * 1000
    return all(a == b or b == now_ms for a, b in zip(before, after, strict=True))
