"""A patient's course: what was measured and entered over time, and the answer at each step (`grade --sequence`).

The wearable's own machines, run through time: alarm conditions each second, a step of the grader every ten, entries
with their ages. Host only. A value of a sensor's key counts from the step that set it for as long as a reading may.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core import code_texts, codes, units
from crs_core.compat import const
from crs_core.errors import RemoteError
from crs_core.grade import alarms, bedside, case, entries, facts, grader, prompts, vocabulary
from crs_core.grade import grader_state as st
from crs_core.grade.rules import DEFAULT, Rules

_SECOND_MS = const(1000)
_READING_MS = const(10_000)
_LONGEST_MS = const(2_592_000_000)  # 30 days between two steps
# What settles a pressure without a measured one.
_SETTLING = ("vasopressors", "context")
_SENSORS = ("temperature_cc", "spo2_tenths", "hr_bpm")


class Course:
    """One patient from the first step on. `enter` moves time on to a step; `assess` says what holds at it.

    Of a fever the first crossing (`first_met_ms`) and the moment at which it had lasted (`sustained_ms`) stand apart.
    """

    def __init__(self, rules: Rules = DEFAULT) -> None:
        self._rules = rules
        self._alarms = alarms.new_state()
        self._grader = grader.new_state()
        self._measured: dict = {}  # key of a sensor -> (value, ms)
        self._site: str | None = None
        self._answered: dict = {}  # key -> ms of its last entry
        self._held: dict = {}  # scale -> (lower, ms)
        self._told = 0
        self._fever = codes.FEVER_UNKNOWN
        self._first_met_ms: int | None = None
        self._sustained_ms: int | None = None
        self._possible_ms: int | None = None  # POSSIBLE_FEVER since
        self._start_ms = self._now_ms = 0
        self._read_ms = 0
        self._is_started = False

    def enter(self, at_ms: int, inputs: dict) -> None:
        """Go on to `at_ms` and take `inputs` {key: value, None withdraws it}; RemoteError names what is refused."""
        if type(at_ms) is not int or at_ms < 0:
            raise RemoteError("at_ms: %r is not a time in ms" % (at_ms,))
        if self._is_started and at_ms < self._now_ms:
            raise RemoteError("at_ms: %d comes after %d" % (at_ms, self._now_ms))
        if self._is_started and at_ms - self._now_ms > _LONGEST_MS:
            raise RemoteError("at_ms: more than 30 days after the step before")
        given = {key: inputs[key] for key in inputs if inputs[key] is not None}
        if "temperature_cc" in given and "site" not in given and self._site:
            given["site"] = self._site
        vocabulary.check(given)
        for key in inputs:
            vocabulary.check_key(key)
        self._advance(at_ms)
        self._take(inputs, at_ms)
        self._step_grader(at_ms, True)
        self._step_alarms(at_ms)

    def _advance(self, at_ms: int) -> None:
        if not self._is_started:
            self._is_started = True
            self._start_ms = self._now_ms = self._read_ms = at_ms
            return
        t_ms = self._now_ms + _SECOND_MS
        while t_ms < at_ms:
            if t_ms - self._read_ms >= _READING_MS:
                self._step_grader(t_ms, False)
            self._step_alarms(t_ms)
            t_ms += _SECOND_MS
        self._now_ms = at_ms

    def _take(self, inputs: dict, at_ms: int) -> None:
        told = {}
        for key, value in inputs.items():
            if key == "site":
                if value != self._site and inputs.get("temperature_cc") is None:
                    self._measured.pop("temperature_cc", None)  # read at another site
                self._site = value
            elif key not in _SENSORS:
                told[key] = value
                if value is not None:
                    self._answered[key] = at_ms
            elif value is None:
                self._measured.pop(key, None)
            else:
                self._measured[key] = (value, at_ms)
                if key == "temperature_cc" and inputs.get("site", self._site) not in ("axilla", "skin"):
                    self._answered[key] = at_ms
        if "temperature_cc" in inputs:
            # a value that was stated twice is not a converter that stands still
            self._grader[st.FLAT_CC] = None
        if told.get("context"):
            # everything was asked and there is none: that answers what was entered before, too
            for entry in self._grader[st.TOLD]:
                if entry[0] in entries.NONE and entry[0] not in told:
                    told[entry[0]] = entries.NONE[entry[0]]
        if told:
            told = with_judged_pressure(told, entries.in_force(self._grader[st.TOLD]), self._rules)
            before = self._grader
            self._grader = bedside.enter(before, told, at_ms, self._rules)
            self._hold(before, at_ms)

    def _value(self, key: str, at_ms: int, max_age_ms: int) -> int | None:
        found = self._measured.get(key)
        return found[0] if found is not None and at_ms - found[1] <= max_age_ms else None

    def _step_grader(self, at_ms: int, is_new: bool) -> None:
        rules = self._rules
        temp_cc = self._value("temperature_cc", at_ms, rules.grade_temp_max_age_ms)
        # the grader itself keeps a saturation for as long as it may count
        spo2_tenths = self._value("spo2_tenths", at_ms, 0)
        status = units.make_status(
            units.SITES.index(self._site) if self._site else units.SITE_NONE,
            units.TEMP_ABSENT if temp_cc is None else units.TEMP_VALID,
            units.PPG_ABSENT if spo2_tenths is None else units.PPG_VALID,
            units.WEAR_UNKNOWN,
        )
        if is_new and self._grader[st.LAST] == at_ms:
            self._grader[st.LAST] = at_ms - 1  # two steps of one moment
        before = self._grader
        reading = units.Reading(at_ms, temp_cc, spo2_tenths, None, None, status)
        self._grader, assessment = grader.step(self._grader, reading, at_ms, rules)
        self._fever = assessment.fever
        if self._fever == codes.FEVER_MET and self._first_met_ms is None:
            self._first_met_ms = at_ms
        self._read_ms = at_ms
        if self._grader[st.TOLD] is not before[st.TOLD]:
            self._hold(before, at_ms)
        self._told = bedside.signs(self._grader, rules)

    def _step_alarms(self, at_ms: int) -> None:
        rules = self._rules
        temp = self._measured.get("temperature_cc")
        ages = [at_ms - self._measured[key][1] for key in ("spo2_tenths", "hr_bpm") if key in self._measured]
        inputs = alarms.Inputs(
            temp_cc=None if temp is None else temp[0],
            temp_state=units.TEMP_ABSENT if temp is None else units.TEMP_VALID,
            temp_age_ms=None if temp is None else at_ms - temp[1],
            spo2_tenths=self._value("spo2_tenths", at_ms, rules.alarm_ppg_max_age_ms),
            hr_bpm=self._value("hr_bpm", at_ms, rules.alarm_ppg_max_age_ms),
            pi_hundredths=None,
            ppg_state=units.PPG_VALID if ages else units.PPG_ABSENT,
            ppg_age_ms=min(ages) if ages else None,
            wear=units.WEAR_UNKNOWN,
            site=units.SITES.index(self._site) if self._site else units.SITE_NONE,
            bound=1,
            faults=0,
            button=0,
            told=self._told,
        )
        self._alarms, changes = alarms.step(self._alarms, inputs, at_ms, rules)
        for alarm, priority in changes:
            if alarm == codes.POSSIBLE_FEVER:
                self._possible_ms = at_ms if priority else None
        if self._sustained_ms is None and (codes.FEVER, codes.PRIORITY_MEDIUM) in changes:
            self._sustained_ms = at_ms

    def _inputs(self, state: list) -> dict:
        """What counts now, as one case of the vocabulary; `state` of the grader."""
        rules = self._rules
        inputs = entries.in_force(state[st.TOLD])
        for key, max_age_ms in (
            ("temperature_cc", rules.grade_temp_max_age_ms),
            ("spo2_tenths", rules.grade_ppg_max_age_ms),
            ("hr_bpm", rules.grade_ppg_max_age_ms),
        ):
            value = self._value(key, self._now_ms, max_age_ms)
            if value is not None:
                inputs[key] = value
        if "temperature_cc" in inputs:
            inputs["site"] = self._site
        if grader.fever_latched(state):
            inputs["fever_earlier"] = True
        return inputs

    def _hold(self, before: list, at_ms: int) -> None:
        """Keep what expired entries had proved until somebody enters again; `before`: the state with them."""
        if not entries.lapsed(self._grader[st.TOLD]):
            self._held = {}
            return
        grades = case.assess(self._inputs(before), self._rules)["grades"]
        for name in grades:
            lower = grades[name]["lower"]
            if lower and lower > self._held.get(name, (0, 0))[0]:
                self._held[name] = (lower, at_ms)

    def assess(self) -> dict:
        """{"at_ms", "fever", "alarms", "grades", "prompts"}; a scale has "held" while an expired entry said more."""
        rules = self._rules
        inputs = self._inputs(self._grader)
        grades = case.assess(inputs, rules)["grades"]
        for name in self._held:
            lower, at_ms = self._held[name]
            if name in grades and (grades[name]["lower"] is None or grades[name]["lower"] < lower):
                grades[name]["held"] = {"lower": lower, "at_ms": at_ms}
        due, missed = prompts.look(self._answered, self._start_ms, self._first_met_ms, self._now_ms, rules)
        sounding = alarms.active(self._alarms)
        by_hand = self._answered.get("temperature_cc")
        is_due, is_missed = prompts.oral_due(self._possible_ms, by_hand, self._now_ms, rules)
        if is_missed:
            missed.append("temperature_cc")
        elif is_due:
            due.append("temperature_cc")
        priority = prompts.missed_priority(missed, self._first_met_ms)
        if priority and not inputs.get("death"):
            sounding = sorted(sounding + [(codes.PROMPT_MISSED, priority)])
        return {
            "at_ms": self._now_ms,
            "fever": codes.FEVER_NAMES[self._fever],
            "first_met_ms": self._first_met_ms,
            "sustained_ms": self._sustained_ms,
            "alarms": [
                {"name": code_texts.alarm_name(alarm), "priority": codes.PRIORITY_NAMES[priority]}
                for alarm, priority in sounding
            ],
            "grades": grades,
            "prompts": {"due": due, "missed": missed},
        }


def with_judged_pressure(told: dict, in_force: dict, rules: Rules) -> dict:
    """`told` {key: value, None withdraws} with what a measured pressure in it is by the site's rule.

    `in_force` is what counts beside it. The wearable gets the same from the host: "blood_pressure", None when open.
    """
    if "blood_pressure" in told or not any([key in told for key in entries.PRESSURES]):
        return told
    # one measurement stands alone: an older one of another kind does not count beside it
    values = {
        key: in_force[key] for key in in_force if key not in entries.PRESSURES and key != "blood_pressure"
    }
    values.update(told)
    measured = {key: values[key] for key in values if values[key] is not None and key not in _SETTLING}
    judged = facts.pressure(measured, rules).values
    told = told.copy()
    told["blood_pressure"] = {("hypotension",): "hypotension", ("held",): "normal"}.get(judged)
    return told


def run(steps: list, rules: Rules = DEFAULT) -> list:
    """Assess every step of [{"at_ms", "inputs"}] in time order; RemoteError names the step that is refused."""
    course = Course(rules)
    said = []
    for i in range(len(steps)):
        step = steps[i]
        if type(step) is not dict or "at_ms" not in step or type(step.get("inputs")) is not dict:
            raise RemoteError("step %d: is not an object with at_ms and inputs" % i)
        for key in step:
            if key not in ("at_ms", "inputs", "id"):
                raise RemoteError("step %d: %s: unknown key" % (i, key))
        try:
            course.enter(step["at_ms"], step["inputs"])
        except RemoteError as error:
            raise RemoteError("step %d: %s" % (i, error.args[0]))
        said.append(course.assess())
    return said
