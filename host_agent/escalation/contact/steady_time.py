"""The time by which contact steps count: it goes on exactly, also when somebody sets the wall clock.

Within one start of the computer its counter decides, over restarts of the agent and while the laptop sleeps. Over a
restart of the computer the wall clock says how long that took; set back meanwhile, it is taken as no time at all.
"""

from host_agent.clock import Clock
from host_agent.escalation.contact.course import Now
from host_agent.store.contact_courses import SteadyNote, keep_steady_note, steady_note
from host_agent.store.db import Tx

_NOTE_MS = 10_000  # how old the note may be while something waits
_SET_MS = 200  # a wall clock that moved so far from the counter was set


class SteadyTime:
    """`system` names this start of the computer; "" is not known, and then the wall clock decides at each start."""

    def __init__(self, clock: Clock, system: str) -> None:
        self._clock = clock
        self._system = system
        self._note: SteadyNote | None = None

    def begin(self, tx: Tx) -> None:
        """Take up the time of the last run; once, in the first transaction that writes."""
        if self._note is None:
            self._note = self._taken_up(tx)
            keep_steady_note(tx, self._note)

    def now(self, tx: Tx) -> Now:
        """Only reads, also before `begin`."""
        note = self._note or self._taken_up(tx)
        return Now(self._at(note, self._counted_ms()), self._clock.utc_ms())

    def _taken_up(self, tx: Tx) -> SteadyNote:
        utc_ms, counted_ms = self._clock.utc_ms(), self._counted_ms()
        last = steady_note(tx)
        if last is None:
            steady_ms = utc_ms
        elif self._system and last.system == self._system and counted_ms >= last.counted_ms:
            steady_ms = last.steady_utc_ms + counted_ms - last.counted_ms
        else:
            steady_ms = last.steady_utc_ms + max(0, utc_ms - last.utc_ms)
        return SteadyNote(self._system, counted_ms, steady_ms, utc_ms)

    @property
    def is_note_old(self) -> bool:
        """Whether the note should be written again, while something waits."""
        if self._note is None:
            return True
        counted_ms = self._counted_ms() - self._note.counted_ms
        return counted_ms >= _NOTE_MS or abs(self._clock.utc_ms() - self._note.utc_ms - counted_ms) > _SET_MS

    def note(self, tx: Tx) -> None:
        """Write it again."""
        if self._note is not None:
            counted_ms = self._counted_ms()
            steady_ms = self._at(self._note, counted_ms)
            self._note = SteadyNote(self._system, counted_ms, steady_ms, self._clock.utc_ms())
            keep_steady_note(tx, self._note)

    def _counted_ms(self) -> int:
        return round(self._clock.monotonic() * 1000)

    @staticmethod
    def _at(note: SteadyNote, counted_ms: int) -> int:
        return note.steady_utc_ms + counted_ms - note.counted_ms
