"""A planned pause: taken off for charging or washing, announced, counted down, 30 minutes at most. Loaded while needed.

It holds back NO_DATA and no other alarm, and is journaled at both ends. If the wearable is not measuring again at its
end, the alarm conditions raise PAUSE_OVER, HIGH (crs_core/grade/alarms.py). Between two whole pauses lie 15 minutes† of
measuring. A new binding begins without a pause.
"""

from crs_core.journal import record_layout, record_writer
from crs_core.compat import const
from crs_core.grade import guards
from crs_core.grade.alarm_state import FLAG_AWAY, FLAGS, PPG_MISSING
from crs_core.codes import NO_DATA, PAUSE_OVER, PRIORITY_HIGH, is_physiological
from crs_core.units import WEAR_OFF

_MAX_MS = const(1_800_000)
_MEASURE_MS = const(900_000)  # † measured between two whole pauses
_BACK_MS = const(10_000)  # on the body again for this long ends it early
# Data that are missing since earlier than this after the start were never there: nothing was measured yet.
_STARTED_MS = const(30_000)
_STATE_CHANGE = const(4)
_BEGUN = const(1)
_ENDED = const(2)
_BY_TIME = const(1)
_BY_HOST = const(2)
_BY_VALUES = const(3)
_CHARGING = const(1)
_WHY_LAST = const(3)


class Pause:
    """One pause and the measuring after it; `left_ms` is -1 when none runs. The application drops it afterwards."""

    def __init__(self, used_ms: int = 0) -> None:
        self._used_ms = used_ms  # used by ended pauses, until enough was measured
        self._begun_ms = self._until_ms = -1
        self._back_since_ms = -1
        self._was_off = False
        self._measured = 0  # seconds
        self._is_away_kept = False

    def left_ms(self, now_ms: int) -> int:
        """What is left of the pause that runs, at least 0; -1 when none runs."""
        return max(self._until_ms - now_ms, 0) if self._begun_ms >= 0 else -1

    def begin(self, app, span_s: int, why: int, key_id: int) -> str:  # type: ignore[no-untyped-def]
        """Start a pause, or change the end of the one that runs. Returns "" when it runs, else why it does not.

        `why`: 1 charging, 2 washing, 3 other. `key_id` of the host that asked, 0 for the wearable itself.
        """
        now_ms = app.clock.ms()
        if not app.is_bound:
            return "no patient is bound"
        for alarm, priority in app.monitor.active:
            if alarm == PAUSE_OVER or (priority == PRIORITY_HIGH and is_physiological(alarm)):
                return "an alarm is active that a pause must wait for"
        runs = self._begun_ms >= 0
        left_s = (_MAX_MS - self._used_ms - (now_ms - self._begun_ms if runs else 0)) // 1000
        if not 1 <= span_s <= left_s:
            return "%d s of pause are left; measure for %d s before more" % (
                max(left_s, 0),
                _MEASURE_MS // 1000,
            )
        payload = record_writer.write(record_layout.PAUSE, _BEGUN, why, span_s, key_id)
        if not app.log.append_all([(now_ms, record_layout.PAUSE, payload)], False):
            return "not journaled"  # an unjournaled pause would look like a loss to the host
        if not runs:
            self._begun_ms = now_ms
            self._was_off = False
            self._back_since_ms = -1
        self._until_ms = now_ms + span_s * 1000
        app.monitor.show(now_ms)
        return ""

    def end(self, app, how: int = _BY_HOST, key_id: int = 0) -> bool:  # type: ignore[no-untyped-def]
        """End it now and journal its end; False when none runs."""
        if self._begun_ms < 0:
            return False
        now_ms = app.clock.ms()
        self._used_ms += now_ms - self._begun_ms
        self._begun_ms = -1
        self._measured = 0
        app.log.append(
            now_ms, record_layout.PAUSE, record_writer.write(record_layout.PAUSE, _ENDED, how, 0, key_id)
        )
        return True

    def step(self, app, inputs, now_ms: int) -> bool:  # type: ignore[no-untyped-def]
        """After each step of the alarm conditions, with its inputs; False when this object is no longer needed."""
        monitor = app.monitor
        runs = self._begun_ms >= 0
        is_away = bool(monitor.alarm_state[FLAGS] & FLAG_AWAY)
        if is_away != self._is_away_kept and (is_away or not runs):
            # A restart must find out that the wearer was away. Once is enough for one pause.
            self._is_away_kept = is_away
            monitor.journal_states(_STATE_CHANGE, now_ms)
        rules = monitor.rules
        temp_why = guards.temp(
            inputs.temp_cc, inputs.temp_state, inputs.site, inputs.wear, inputs.temp_age_ms, rules.alarm_temp_max_age_ms
        )  # fmt: skip
        ppg_why = guards.ppg(
            inputs.spo2_tenths, inputs.pi_hundredths, inputs.ppg_state, inputs.ppg_age_ms,
            rules.alarm_ppg_max_age_ms, rules.pi_min_hundredths,
        )  # fmt: skip
        is_back = guards.is_back(inputs.wear, temp_why, ppg_why)
        if not runs:
            self._measured += 1 if is_back else 0
            return self._measured * 1000 < _MEASURE_MS
        if not is_back:
            self._was_off = self._was_off or inputs.wear == WEAR_OFF  # a moving wearer is not away
            self._back_since_ms = -1
        elif self._back_since_ms < 0:
            self._back_since_ms = now_ms
        if now_ms >= self._until_ms:
            self.end(app, _BY_TIME)
        elif self._was_off and is_back and now_ms - self._back_since_ms >= _BACK_MS:
            self.end(app, _BY_VALUES)
        return True


def request(app, op: int, why: int, span_s: int, key_id: int) -> str:  # type: ignore[no-untyped-def]
    """Do what a host asks (wire.PAUSE_BEGIN, PAUSE_END); returns "" when done, else why it was not."""
    pause = app.pause or Pause()
    if op == _BEGUN:
        if not 1 <= why <= _WHY_LAST:
            return "unknown reason for a pause: %d" % why
        refused = pause.begin(app, span_s, why, key_id)
        if not refused:
            app.pause = pause
        return refused  # type: ignore[no-any-return]
    return "" if op == _ENDED and pause.end(app, _BY_HOST, key_id) else "no pause is running"


def on_charger(app) -> None:  # type: ignore[no-untyped-def]
    """Begin a pause for charging, unless NO_DATA is already active: the wearable was put on the charger too late."""
    since_ms = app.monitor.alarm_state[PPG_MISSING]
    if since_ms is None or since_ms < _STARTED_MS:
        return
    for alarm, _ in app.monitor.active:
        if alarm == NO_DATA:
            return
    pause = Pause()
    if not pause.begin(app, _MAX_MS // 1000, _CHARGING, 0):
        app.pause = pause
