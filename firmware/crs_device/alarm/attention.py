"""Decides how loud: by the active alarms, by what people did about them, and by whether a host listens.

Pure: board milliseconds in, a decision out. Times marked † are proposals that a clinician must sign; they come from the
settings or the signed rules.
"""

from crs_core.compat import const

MEDIUM = const(2)
HIGH = const(3)

ACCEPT_LAPSE_HIGH_MS = const(600_000)  # † after this an acceptance no longer counts, HIGH
ACCEPT_LAPSE_MS = const(1_800_000)  # † the same, MEDIUM and LOW
SOUND_AGAIN_MS = const(
    30_000
)  # † after that an alarm sounds at least for this time, however soon it is accepted again


class Attention:
    """Remembers sound pauses and acceptances (RAM only: a restart sounds again)."""

    def __init__(self, pause_ms: int, escalate_ms: int) -> None:
        self._pause_ms = pause_ms
        self._escalate_ms = escalate_ms
        self._pause_until_ms = -1
        self._accepted: dict[int, tuple[int, int, int]] = {}  # alarm id -> (priority, silent from, lapses at)
        self._known: dict[int, int] = {}  # alarm id -> priority at the last step
        self._open_since_ms = -1
        self._was_escalated = False

    def set_times(self, pause_ms: int, escalate_ms: int) -> None:
        """Use other times: sound pause, and escalation while no host listens."""
        self._pause_ms = pause_ms
        self._escalate_ms = escalate_ms

    def pause(self, now_ms: int) -> None:
        """The wearer pressed the button: no sound for the pause time, unless an alarm rises."""
        self._pause_until_ms = now_ms + self._pause_ms

    def paused(self, now_ms: int) -> bool:
        """True while a sound pause runs."""
        return now_ms < self._pause_until_ms

    def accept(self, alarm: int, priority: int, now_ms: int) -> bool:
        """A person accepts this alarm up to `priority`; False when it is not active or has risen above that.

        An acceptance that counts already gets no longer by another one, and one that follows a lapse leaves the alarm
        time to sound: so nobody keeps an alarm silent by accepting it again and again.
        """
        active = self._known.get(alarm, 0)
        if active == 0 or active > priority:
            return False
        before = self._accepted.get(alarm)
        from_ms = now_ms
        if before is not None and before[0] >= active:
            if now_ms < before[2]:
                return True
            from_ms = max(now_ms, before[2] + SOUND_AGAIN_MS)
        lapse_ms = ACCEPT_LAPSE_HIGH_MS if active == HIGH else ACCEPT_LAPSE_MS
        self._accepted[alarm] = (active, from_ms, now_ms + lapse_ms)
        return True

    def is_taken(self, alarm: int, priority: int, now_ms: int) -> bool:
        """Whether an acceptance of this alarm, active at `priority` or below, counts already."""
        active = self._known.get(alarm, 0)
        accepted = self._accepted.get(alarm)
        return (
            0 < active <= priority and accepted is not None and accepted[0] >= active and now_ms < accepted[2]
        )

    def _is_silenced(self, alarm: int, priority: int, now_ms: int) -> bool:
        accepted = self._accepted.get(alarm)
        return accepted is not None and accepted[0] >= priority and accepted[1] <= now_ms < accepted[2]

    def step(self, active: list[tuple[int, int]], now_ms: int, host_away: bool) -> tuple[int, int, bool]:
        """(light priority, sound priority, urgent) for the active alarms; `host_away`: no host was heard lately.

        A new or risen alarm, or the rise below, ends a sound pause. With an alarm that nobody accepted open for the
        escalation time and no host listening, the sound rises by one priority; a HIGH already there becomes urgent.
        """
        known = {}
        light = sound = 0
        is_open = False
        for alarm, priority in active:
            known[alarm] = priority
            if priority > self._known.get(alarm, 0):
                self._pause_until_ms = -1
            light = max(light, priority)
            if not self._is_silenced(alarm, priority, now_ms):
                sound = max(sound, priority)
                is_open = is_open or priority >= MEDIUM
        for alarm in list(self._accepted):
            if alarm not in known:
                del self._accepted[alarm]  # when the condition returns, it sounds again
        self._known = known
        if not is_open:
            self._open_since_ms = -1
        elif self._open_since_ms < 0:
            self._open_since_ms = now_ms
        escalated = is_open and host_away and now_ms - self._open_since_ms >= self._escalate_ms
        urgent = False
        if escalated and not self._was_escalated:
            self._pause_until_ms = -1
        self._was_escalated = escalated
        if escalated:
            urgent = sound >= HIGH
            sound = min(sound + 1, HIGH)
            light = max(light, sound)
        if self.paused(now_ms):
            sound = 0
        return light, sound, urgent
