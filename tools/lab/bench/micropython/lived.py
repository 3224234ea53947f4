"""A wearer's days as the journal sees them: readings each 10 s and the events that go with them; runs on MicroPython.

The rate of events is an assumption, on the high side of a stay in hospital: `EACH_DAY` and `EACH_HOUR`. A host is in
session all the time and acknowledges within seconds, which is what writes the mark most often.
"""

from crs_core.journal import record_layout, record_writer
from crs_core.grade import alarms, grader
from crs_core.units import Reading, make_status

STEP_MS = 10_000
STEPS_A_DAY = 8640
STATUS = make_status(1, 0, 0, 1)
HASH = b"rulehash"


def _alarm_state(t_ms):
    return alarms.encode_state(alarms.new_state(), t_ms)


def _grader_state(t_ms):
    return grader.encode_state(grader.new_state(), t_ms)


def _inputs():
    return bytes(24)


def _state(t_ms):
    return record_layout.GRADER_STATE, record_writer.write(
        record_layout.GRADER_STATE, 1, HASH, _alarm_state(t_ms), _grader_state(t_ms)
    )


def hourly(t_ms):
    """[(kind, payload)] of each full hour: states, health counters, the host's time."""
    health = record_writer.write(record_layout.HEALTH, [(n, n * 17) for n in range(12)])
    return [
        _state(t_ms),
        (record_layout.HEALTH, health),
        (record_layout.TIME_MARK, record_writer.write(record_layout.TIME_MARK, t_ms, 40, 7)),
    ]


def alarm(t_ms):
    """[(kind, payload)] of a change of the alarms; they share a block."""
    made = record_writer.write(record_layout.ALARM, HASH, [(3, 2)], _inputs(), _alarm_state(t_ms), 0x12345678)
    return [(record_layout.ALARM, made), _state(t_ms)]


def grade(t_ms):
    """[(kind, payload)] of a change of the grade."""
    made = record_writer.write(
        record_layout.GRADE, 1, 1, HASH, 1, 4, 1, 0, [3, 4], [1, 2], 1000, 1000, _grader_state(t_ms)
    )
    return [(record_layout.GRADE, made)]


def button(t_ms):
    """[(kind, payload)] of a press."""
    return [(record_layout.BUTTON, record_writer.write(record_layout.BUTTON, 1))]


def sample_gap(t_ms):
    """[(kind, payload)] of missing samples."""
    return [(record_layout.SAMPLE_GAP, record_writer.write(record_layout.SAMPLE_GAP, 1, 1, 32, 320))]


EACH_HOUR = (hourly,)
EACH_DAY = ((alarm, 30), (grade, 40), (button, 6), (sample_gap, 24))


class Days:
    """Makes the days of one wearer on `journal`; the values wander like a body's. `t_ms` is the board's time."""

    def __init__(self, journal, seed=1):
        self.journal = journal
        self.t_ms = 0
        self.steps = 0
        self.readings = self.events = 0
        self.payload_bytes = 0  # of the events
        self._noise = seed
        self._temp_cc, self._spo2, self._hr, self._pi = 3700, 970, 78, 150

    def _chance(self, n):
        self._noise = (self._noise * 1103515245 + 12345) & 0x3FFFFFFF
        return (self._noise >> 8) % n

    def _wander(self, value, step, low, high):
        return min(max(value + self._chance(2 * step + 1) - step, low), high)

    def reading(self):
        """The next reading."""
        self._temp_cc = self._wander(self._temp_cc, 2, 3550, 4050)
        self._spo2 = self._wander(self._spo2, 3, 880, 1000)
        self._hr = self._wander(self._hr, 1, 50, 140)
        self._pi = self._wander(self._pi, 8, 20, 900)
        return Reading(self.t_ms, self._temp_cc, self._spo2, self._hr, self._pi, STATUS)

    def step(self):
        """Run ten seconds: one reading, the events in them, acknowledgement and the journal's own work."""
        self.t_ms += STEP_MS
        self.steps += 1
        self.journal.add_reading(self.reading())
        self.readings += 1
        if self.steps % 360 == 0:
            for each in EACH_HOUR:
                for event in each(self.t_ms):
                    self._put([event])
        for each, a_day in EACH_DAY:
            if self._chance(STEPS_A_DAY) < a_day:
                self._put(each(self.t_ms))
        self.journal.ack(self.journal.head_seq)
        self.journal.tick(self.t_ms)

    def _put(self, events):
        self.journal.append_events([(self.t_ms, kind, payload) for kind, payload in events])
        self.events += len(events)
        self.payload_bytes += sum([len(payload) for _, payload in events])
