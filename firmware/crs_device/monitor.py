"""Each whole second one step of the alarm conditions; each interval one journaled reading and one step of the grader.

Sounding waits for nothing: output first, then the journal, then the doorbell. A late board never steps an instant twice
and invents no data: seconds and readings that it missed are counted, and the next step uses the true time.
"""

from binascii import crc32

from crs_core.journal import record_layout, record_writer
from crs_core.compat import const
from crs_core.grade import alarms, grader
from crs_core.grade.grader_state import TOLD
from crs_core.codes import SCALE_ASTCT
from crs_core.grade.alarm_state import TOLD_NOBODY_REACHED, TOLD_PAUSED
from crs_core.units import STATUS_CHARGING, STATUS_LOW_BATTERY, STATUS_PAUSED, Reading, make_status
from crs_core.wire import message as wire
from crs_device.alarm.output import MEASURING, NOT_MONITORING, PAIRING, PAUSED, SEARCHING
from crs_device.health import READING_LATE, STEP_LATE_SECONDS
from crs_device.heap import unload_modules

STATE_HOURLY = const(1)
STATE_BOOT = const(2)
STATE_BINDING = const(3)
STATE_CHANGE = const(4)  # with an ALARM
_PRESSES_MAX = const(8)
_LONG = const(2)
_PAUSE_BLINK_MS = const(600_000)  # a planned pause blinks once for each of these that are left
# Only needed when people enter something, or when an entry expires.
_FOR_ENTRIES = (
    "crs_core.context",
    "crs_core.grade.entry_numbers",
    "crs_core.grade.signs",
    "crs_core.grade.facts",
    "crs_core.grade.astct",
    "crs_core.grade.scale",
    "crs_core.grade.vocabulary",
)


class Monitor:
    """Owns the states of alarms and grader. `parts` is the application: it measures, drains, logs, sounds and rings.

    `steps` counts; `is_bound` decides whether a patient is graded; `active` is what holds now, by alarm id.
    """

    def __init__(self, parts, rules, rule_hash: bytes, site: int, interval_s: int) -> None:  # type: ignore[no-untyped-def]
        self._parts = parts
        self.rules = rules
        self.rule_hash = rule_hash
        self.site = site
        self.interval_ms = interval_s * 1000
        self.is_bound = False
        self.steps = 0
        self.active: list[tuple[int, int]] = []
        self.bell: wire.Alarm | None = None  # the last doorbell
        self.alarm_state = alarms.new_state()
        self.grader_state = grader.new_state()
        self.unreached_until_ms = -1  # the laptop says until then that an alarm has reached nobody
        self.entered_signs = 0  # SIGN_* bits of what people entered, for the alarm conditions
        self.assessment = None
        self._last_grade: tuple | None = None  # type: ignore[type-arg]  # what the last GRADE event holds
        self._presses: list[int] = []
        self._last_second = -1
        self._next_reading_ms = 0

    def use_rules(self, rules, rule_hash: bytes) -> None:  # type: ignore[no-untyped-def]
        """Use these rules from the next step on; delays that have begun go on."""
        self.rules = rules
        self.rule_hash = rule_hash
        self._last_grade = None  # so the next step journals a GRADE with their hash

    def resume(self, alarm_state, grader_state) -> None:  # type: ignore[no-untyped-def]
        """Continue from these states: restored ones, or new ones for a new binding."""
        self.alarm_state = alarm_state
        self.grader_state = grader_state
        self.assessment = self._last_grade = None
        self.active = alarms.active(alarm_state)
        self._read_signs()

    def states(self, now_ms: int) -> tuple[bytes, bytes]:
        """(alarm state, grader state) encoded at `now_ms`."""
        return alarms.encode_state(self.alarm_state, now_ms), grader.encode_state(self.grader_state, now_ms)

    def press(self, kind: int) -> None:
        """Take a press (BUTTON_*); each press is given to one step of the alarm conditions, in order."""
        if len(self._presses) < _PRESSES_MAX:
            self._presses.append(kind)
        if kind == _LONG and self.grader_state[TOLD]:
            # "I feel ill" withdraws what was reassuring until now. Loaded for that, to save heap.
            from crs_core.grade import bedside

            self.grader_state = bedside.doubt(self.grader_state, self._parts.clock.ms())
            self._read_signs()

    def grade_on(self, grader_state) -> None:  # type: ignore[no-untyped-def]
        """Continue from this state, which holds something that people entered or withdrew."""
        self.grader_state = grader_state
        self._read_signs()

    def _read_signs(self) -> None:
        self.entered_signs = 0
        if self.grader_state[TOLD]:
            # loaded while something is entered, to save heap
            from crs_core.grade import bedside

            self.entered_signs = bedside.signs(self.grader_state, self.rules)
        unload_modules(*_FOR_ENTRIES)

    def step(self, now_ms: int) -> bool:
        """Step the alarm conditions when a new second has begun; True when it was done."""
        second = now_ms // 1000
        if second <= self._last_second:
            return False
        parts = self._parts
        if self._last_second >= 0 and second > self._last_second + 1:
            parts.health.count(STEP_LATE_SECONDS, second - self._last_second - 1)
        self._last_second = second
        inputs = self._inputs(parts.measure(now_ms), now_ms)
        before = self.alarm_state
        self.alarm_state, changes = alarms.step(before, inputs, now_ms, self.rules)
        self.active = alarms.active(self.alarm_state)
        self.show(now_ms)
        if parts.schedule is not None and parts.sampling is not None:
            parts.sampling.light(parts.schedule.step(now_ms, inputs, self), now_ms)
        if changes:
            self._journal_alarm(changes, inputs, before, now_ms)
        parts.step_pause(inputs, now_ms)
        self.steps += 1
        if now_ms >= self._next_reading_ms:
            self._read(now_ms)
        return True

    def show(self, now_ms: int) -> None:
        """Show and sound what is active now."""
        parts = self._parts
        in_maintenance = parts.in_maintenance
        away = parts.presence.is_away(now_ms)
        light, sound, urgent = parts.attention.step(self.active, now_ms, parts.presence.is_quiet(now_ms))
        state = MEASURING
        vitals = parts.vitals
        left_ms = parts.pause_left_ms(now_ms)
        if in_maintenance:
            state = NOT_MONITORING
        elif left_ms >= 0:
            state = PAUSED + max(left_ms - 1, 0) // _PAUSE_BLINK_MS
        elif parts.is_pairing:
            state = PAIRING
        elif vitals.temp_state and vitals.ppg_state:
            state = SEARCHING
        parts.output.show(
            light, sound, parts.clock.real_ms(), state, urgent, parts.attention.paused(now_ms), away
        )

    def _inputs(self, vitals, now_ms: int):  # type: ignore[no-untyped-def]
        button = self._presses.pop(0) if self._presses else 0
        return alarms.Inputs(
            temp_cc=vitals.temp_cc,
            temp_state=vitals.temp_state,
            temp_age_ms=vitals.temp_age_ms,
            spo2_tenths=vitals.spo2_tenths,
            hr_bpm=vitals.hr_bpm,
            pi_hundredths=vitals.pi_hundredths,
            ppg_state=vitals.ppg_state,
            ppg_age_ms=vitals.ppg_age_ms,
            wear=vitals.wear,
            site=self.site,
            bound=1 if self.is_bound else 0,
            faults=self._parts.fault_bits(),
            button=button,
            told=self.entered_signs
            | (TOLD_PAUSED if self._parts.pause_left_ms(now_ms) >= 0 else 0)
            | (TOLD_NOBODY_REACHED if now_ms < self.unreached_until_ms else 0),
        )

    def _journal_alarm(self, changes, inputs, before, now_ms: int) -> None:  # type: ignore[no-untyped-def]
        parts = self._parts
        after_crc = crc32(alarms.encode_state(self.alarm_state, now_ms))
        payload = record_writer.write(
            record_layout.ALARM,
            self.rule_hash,
            changes,
            alarms.encode_inputs(inputs),
            alarms.encode_state(before, now_ms),
            after_crc,
        )
        # An ALARM holds the state before it; the state to restore from is journaled with it.
        events = [
            (now_ms, record_layout.ALARM, payload),
            (now_ms, record_layout.GRADER_STATE, self._state_payload(STATE_CHANGE, now_ms)),
        ]
        seq = parts.log.append_all(events)
        self.bell = wire.Alarm(seq, now_ms, self.active)
        parts.ring(self.bell)

    def _read(self, now_ms: int) -> None:
        parts = self._parts
        late = (now_ms - self._next_reading_ms) // self.interval_ms
        if self._next_reading_ms and late:
            parts.health.count(READING_LATE, late)
        self._next_reading_ms = now_ms - now_ms % self.interval_ms + self.interval_ms
        vitals = parts.vitals
        flags = STATUS_CHARGING if parts.power.is_charging else 0
        if parts.power.is_low:
            flags |= STATUS_LOW_BATTERY
        if parts.pause_left_ms(now_ms) >= 0:
            flags |= STATUS_PAUSED
        status = make_status(self.site, vitals.temp_state, vitals.ppg_state, vitals.wear, flags)
        # Stamped with the whole second: then a step that is some ms late takes no extra byte in the journal.
        reading = Reading(
            now_ms - now_ms % 1000,
            vitals.temp_cc,
            vitals.spo2_tenths,
            vitals.hr_bpm,
            vitals.pi_hundredths,
            status,
        )
        if not parts.log.add_reading(reading):
            # Only journaled readings are graded, and an old grade is not shown as a new one.
            self.assessment = None
        elif self.is_bound:
            self._grade(reading)
        assessment = self.assessment
        parts.live(
            wire.Live(
                now_ms, vitals.temp_cc, vitals.spo2_tenths, vitals.hr_bpm, vitals.pi_hundredths, status,
                assessment.fever if assessment else 0,
                assessment.lower if assessment else None,
                assessment.upper if assessment else None,
                self.active,
            )
        )  # fmt: skip

    def _grade(self, reading) -> None:  # type: ignore[no-untyped-def]
        # The grader gets the reading's own time, so that the host can re-run the same step from the journal.
        before = self.grader_state[TOLD]
        self.grader_state, assessment = grader.step(self.grader_state, reading, reading.t_ms, self.rules)
        self.assessment = assessment
        if self.grader_state[TOLD] is not before:
            self._read_signs()
        grade = (
            assessment.lower, assessment.upper, assessment.fever, assessment.status,
            tuple(assessment.reasons), tuple(assessment.missing),
        )  # fmt: skip
        if grade == self._last_grade:
            return
        payload = record_writer.write(record_layout.GRADE,
            SCALE_ASTCT, assessment.version, self.rule_hash, assessment.lower, assessment.upper, assessment.fever,
            assessment.status, assessment.reasons, assessment.missing, assessment.temp_age_ms, assessment.ppg_age_ms,
            grader.encode_state(self.grader_state, reading.t_ms),
        )  # fmt: skip
        if self._parts.log.append(reading.t_ms, record_layout.GRADE, payload):
            self._last_grade = grade

    def journal_states(self, reason: int, now_ms: int) -> None:
        """Journal both states; `reason` is a STATE_*."""
        self._parts.log.append(now_ms, record_layout.GRADER_STATE, self._state_payload(reason, now_ms))

    def _state_payload(self, reason: int, now_ms: int) -> bytes:
        alarm_state, grader_state = self.states(now_ms)
        return record_writer.write(
            record_layout.GRADER_STATE, reason, self.rule_hash, alarm_state, grader_state
        )
