"""The player's own event loop in simulated time: for a test or a rig whose radio, air or agent lives in its process.

with Conductor(seed=1) as time, played_by_loop(time):
    loop = player_loop(time)                 # asyncio as ever; where nothing is left to do, time passes
    loop.run_until_complete(test())

The player is no participant: it comes when everybody has done what is due in a moment. So it may start programs and ask
them from outside, as a player without a loop does.
"""

import contextlib
import select
from collections.abc import Callable, Iterator

from tools.conductor.conductor import Conductor
from tools.conductor.errors import NotInTimeError
from tools.conductor.event_loop import TurnsLoop, TurnsSelector
from tools.conductor.process_clock import clock_of
from tools.conductor.process_random import drawn_from

NAME = "player"
_LONGEST_US = 24 * 3600 * 1_000_000  # whoever waits longer than a day for a descriptor waits in vain


class PlayerTime:
    """What `Turns` is to a participant; instead of ending a turn the player lets time pass."""

    name, life = NAME, 1

    def __init__(self, owner: Conductor) -> None:
        self._owner = owner
        self.seed, self.utc_start_ms = owner.seed, owner.utc_start_ms

    @property
    def now_us(self) -> int:
        """Axis time."""
        return self._owner.now_us

    def utc_ns(self) -> int:
        """Wall time of the simulation."""
        return self.utc_start_ms * 1_000_000 + self.now_us * 1000

    def idle(self, until_us: int | None, *_: object, **__: object) -> None:
        """Let time pass."""
        self.pass_until(until_us)

    def take_go(self, block: bool) -> bool:
        """The player needs nobody's leave."""
        return True

    def pass_until(self, until_us: int | None, stop_when: Callable[[], bool] = lambda: False) -> None:
        """Let time pass until then or until `stop_when()`; with None until that alone. NotInTimeError."""
        limit_us = self.now_us + _LONGEST_US if until_us is None else until_us
        self._owner.pass_until(limit_us, stop_when)
        if until_us is None and self.now_us >= limit_us and not stop_when():
            raise NotInTimeError("the player waits for a descriptor, and nobody will ever write to it")


class _PlayerSelector(TurnsSelector):
    """Comes back when a descriptor of the player has something, or when its next timer is due."""

    def rest(self, until_us: int | None) -> None:
        """Let time pass."""
        time = self._turns
        assert isinstance(time, PlayerTime)
        time.pass_until(until_us, self._has_something)

    def _has_something(self) -> bool:
        if self._ports and any(fd in self._registered for fd in self._ports.late()):
            return True
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        return bool(poll.poll(0))


def player_loop(owner: Conductor) -> TurnsLoop:
    """A loop of the player's. Its serial ports are counted where `use_ports` says so."""
    return TurnsLoop(PlayerTime(owner), owner.ports, selector=_PlayerSelector)


@contextlib.contextmanager
def played_by_loop(owner: Conductor) -> Iterator[None]:
    """Until the block ends every clock and every random number of this process is the simulation's."""
    with clock_of(PlayerTime(owner)), drawn_from(f"{owner.seed} {NAME}"):
        yield
