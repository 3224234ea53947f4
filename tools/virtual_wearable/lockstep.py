"""The wearable's turns under a conductor: the chip runs until it waits, then the board, then somebody else.

The chip asks over its backplane ("T", see chip/simulated_time.py) when it has come to a wait beyond the time lent to
it. It gets its answer when that time has come or when something has arrived for it. Between two turns of the wearable
nothing in it runs, so what it does depends on what it was told and on nothing else.
"""

import contextlib
import os
import select
import struct
import time
from typing import TYPE_CHECKING

from tools.conductor.turns import Turns
from tools.virtual_wearable.axis import SimulatedAxis
from tools.virtual_wearable.break_in import Outcome

if TYPE_CHECKING:
    from tools.virtual_wearable.supervisor import Supervisor

_FOREVER_US = (1 << 62) - 1
_SLICE_S = 0.05
_HANDED_OVER_S = 2.0
_PAUSE_S = 0.00005
_BREAK, _SPOKE = 1, 2
HANG_S = 20.0  # seconds of processor time in which a chip looks at no clock and waits for nothing
STUCK_S = 120.0  # real seconds, for one that does not even run


def _after(at_s: float) -> int:
    """The first microsecond that is not before a moment in seconds."""
    return int(at_s * 1e6) + 1


class ChipHangsError(Exception):
    """The firmware runs on without a look at a clock and without a wait; the text says for how long."""


class Lockstep:
    """Time of one virtual wearable, as `turns` grants it. `axis` is where the wearable is."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.axis = SimulatedAxis(turns.now_us)
        self._asked: tuple[int, bool] | None = None  # until when the chip waits, whether Ctrl-C may break in
        self._at_prompt = False
        self._break = False
        self._spoke = False  # the chip has sent something to the air in this turn
        self._look = False  # a chip with a radio looks by itself whether the air has sent anything
        self._probed: tuple[int, int] | None = (
            None  # until and now of the question that was answered for such a look
        )
        self._ran = True
        self._begun = True
        self._taken = 0
        self._given = 0  # bytes that the port has given to the host when last looked at
        # real time at which the chip was found at work, and what it had worked until then
        self._busy_since_s: float | None = None
        self._ran_s = 0.0

    @property
    def patience(self) -> bytes:
        """How long a look for a message of the chip waits, as a socket's option takes it."""
        return struct.pack("@ll", 0, int(_SLICE_S * 1e6))

    def environment(self) -> dict[str, str]:
        """Variables that tell a new chip where in time it is."""
        return {"VW_START_US": str(self.axis.now_us()), "VW_UTC_MS": str(self.turns.utc_start_ms)}

    # -- what the chip says --

    def chip_started(self) -> None:
        """A new life: busy until it asks."""
        self._asked, self._at_prompt, self._break = None, False, False
        self._busy_since_s = None

    def told(self, payload: bytes) -> None:
        """The chip has come so far."""
        self.axis.move_to(struct.unpack("<Q", payload)[0])

    @property
    def chip_runs(self) -> bool:
        """Whether the chip is at work and has not asked."""
        return self._asked is None and not self._at_prompt

    def asked(self, payload: bytes) -> None:
        """The chip waits."""
        now_us, until_us, flags = struct.unpack("<6x3q", payload)
        self.axis.move_to(now_us)
        asked = (until_us, now_us)
        if self._probed != asked or flags & _SPOKE:
            self._ran = True
        self._probed = None
        self._asked = (until_us, bool(flags & _BREAK))
        self._spoke = self._spoke or bool(flags & _SPOKE)

    def at_prompt(self) -> None:
        """No program runs: only its console wakes it."""
        self._at_prompt = True

    # -- Ctrl-C, in the place of break_in.BreakIn --

    def begin(self) -> None:
        """A new Ctrl-C has come."""

    def attempt(self) -> Outcome:
        """Let the wait that the chip is in end with KeyboardInterrupt."""
        if self._at_prompt:
            return Outcome.PROMPT
        if self._asked is None or not self._asked[1]:
            return Outcome.BUSY
        self._break = True
        return Outcome.DONE

    # -- the supervisor's loop --

    def has_begun(self) -> bool:
        """Whether this is the first look in this turn: commands come between turns."""
        begun, self._begun = self._begun, False
        return begun

    def wait(self, board: "Supervisor", wake_read: int) -> None:
        """Come back when there is something for the board to do; time has moved on by then if it had to."""
        if board.chip is not None and self.chip_runs:
            self._wait_for_chip(board, wake_read)
            return
        if board.bridge.breaking or self._break or board.bridge.gave or self._is_due():
            self._ran = True
            self._answer(board)
            return
        if self._look and self._asked is not None:
            self._probed = (self._asked[0], self.axis.now_us())
            self._answer(board)
            return
        next_us = self._next_us(board)
        spoke = board.port.given != self._given or self._spoke
        if next_us <= self.turns.horizon_us and not spoke and next_us < _FOREVER_US:
            self._ran = True
            self.axis.move_to(next_us)
            return
        said = spoke or board.port.taken != self._taken or board.build.radio is not None
        self._given, self._taken, self._spoke = board.port.given, board.port.taken, False
        self._hand_over(board, next_us, wake_read, said)

    def _is_due(self) -> bool:
        return self._asked is not None and self.axis.now_us() >= self._asked[0]

    def _next_us(self, board: "Supervisor") -> int:
        times = [_FOREVER_US, *(_after(at_s) for at_s in board.appointments() if at_s is not None)]
        if self._asked is not None:
            times.append(self._asked[0])
        return max(min(times), self.axis.now_us())

    def _answer(self, board: "Supervisor") -> None:
        """Let the chip go on."""
        board.bridge.gave = self._look = False
        if self._asked is None:  # at the prompt: it reads its console by itself
            return
        now_us = self.axis.now_us()
        spoke = board.port.given != self._given or self._spoke
        lent_us = now_us if spoke else self.turns.horizon_us
        lent_us = min([lent_us, *(_after(at_s) for at_s in board.appointments() if at_s is not None)])
        answer = struct.pack("<4q", 0, now_us, max(now_us, lent_us), _BREAK if self._break else 0)
        self._asked, self._break, self._busy_since_s = None, False, None
        board.tell_chip(answer)

    def _wait_for_chip(self, board: "Supervisor", wake_read: int) -> None:
        if board.serve_chip(self._is_at_work, _SLICE_S):
            return
        with contextlib.suppress(BlockingIOError):
            os.read(wake_read, 512)
        board.bridge.take_output(all_of_it=True)  # it may stand in a long text
        assert board.chip is not None
        if self._busy_since_s is None:
            self._busy_since_s, self._ran_s = time.monotonic(), board.chip.processor_s()
        ran_s = board.chip.processor_s() - self._ran_s
        if ran_s > HANG_S or time.monotonic() - self._busy_since_s > STUCK_S:
            self.turns.fail()
            raise ChipHangsError(
                f"the firmware ran for {ran_s:.0f} s without a look at a clock and without a wait"
            )

    def _is_at_work(self) -> bool:
        return self.chip_runs

    def _hand_over(self, board: "Supervisor", next_us: int, wake_read: int, spoke: bool) -> None:
        """End the turn; come back with the next one. A command on the control socket asks for it."""
        until_us = None if next_us >= _FOREVER_US else next_us
        port = board.port
        # looks at the clock may have carried the chip a little beyond what was lent; everybody else is not so far yet
        at_us = min(self.axis.now_us(), self.turns.horizon_us)
        self.turns.idle(
            until_us, self._ran, at_us, {port.name: [port.makings, port.given, port.taken]}, spoke=spoke
        )
        control = board.control.sockets() if board.control else []
        while True:
            found, _, _ = select.select([self.turns.fd, wake_read, *control], [], [])
            if board.stopping:
                return
            if wake_read in found:
                os.read(wake_read, 512)
            if self.turns.fd in found and self.turns.take_go(block=False):
                break
            if set(found) & set(control):
                self.turns.wake()  # whoever asks waits; the answer is of the moment that is now for everybody
                control = []
        self._ran, self._begun = False, True
        self._look = board.build.radio is not None
        self.axis.move_to(self.turns.now_us)
        self._take_over_port(board)

    def _take_over_port(self, board: "Supervisor") -> None:
        """Wait for the bytes that the kernel still has under way to the port."""
        port = board.port
        _, sent = self.turns.due.get(port.name, (port.makings, 0))
        deadline = time.monotonic() + _HANDED_OVER_S
        while port.taken + port.waiting() < sent and port.state()[0] and time.monotonic() < deadline:
            time.sleep(_PAUSE_S)
