"""The owner of simulated time: it gives one participant after the other a turn, and lets time pass when all are idle.

with Conductor(seed=1) as time:
    time.expect("agent")
    agent = subprocess.Popen([sys.executable, "-m", "tools.conductor.run_cytowatch", time.path, "agent", "run"])
    time.pass_s(60)                                        # a minute, however busy this computer is
    time.until(lambda: laptop.readings() > 3, 30, "readings")

It works in a thread of its own; the caller is the player, who says how far time may go. README.md explains time.
"""

import contextlib
import select
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tools.conductor.debugging import is_debugged
from tools.conductor.errors import (
    ConductorError,
    NotInTimeError,
    ParticipantHungError,
)
from tools.conductor.opened_ports import OpenedPorts
from tools.conductor.participant import Participant
from tools.conductor.port_counts import Due
from tools.conductor.schedule import Schedule

UTC_START_MS = 1_767_254_400_000  # 2026-01-01T08:00:00Z
_HANG_S = 30.0
_STARVED = 4  # a busy computer may need so many times longer
_POLL_S = 0.0005
_LONG = 0.05  # a turn longer than this part of `hang_s` is watched
_real_s, _really_sleep = time.monotonic, time.sleep  # whatever clock the player's process gets


class Conductor:
    """One run. `record` gets a line for each start, turn with work and end; two runs of one seed give the same lines.

    `hang_s`: processor time that one turn may take, and a fourth of the real time; None: no limit. A debugger lifts it.
    """

    def __init__(
        self, seed: int = 1, hang_s: float | None = _HANG_S, utc_start_ms: int = UTC_START_MS,
        record: Callable[[str], object] | None = None,
    ) -> None:  # fmt: skip
        self.seed, self.utc_start_ms = seed, utc_start_ms
        self._hang_s = hang_s
        self._schedule = Schedule(seed, utc_start_ms, record)
        self._changed = threading.Condition()
        # what follows is shared with the player, under the lock
        self._is_passing = False
        self._passing_since_s = 0.0
        self._stop_when: Callable[[], bool] = lambda: False
        self.ports = OpenedPorts(self)  # those that the player itself opens
        self._watches: list[Callable[[], bool]] = []
        self._failure: ConductorError | None = None
        self._is_closing = False
        self._numbers = 0

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="time-")
        self.path = str(Path(self._folder.name) / "conductor")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(self.path)
        self._listener.listen()
        self._bell, self._poke_end = socket.socketpair()
        self._thread = threading.Thread(target=self._conduct, name="conductor", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._is_closing = True
        self._poke()
        self._thread.join()
        for participant in self._schedule.participants:
            participant.close()
        for end in (self._listener, self._bell, self._poke_end):
            end.close()
        self._folder.cleanup()

    # -- for the player --------------------------------------------------------------------------------------------

    def now_s(self) -> float:
        """Seconds since the run began."""
        return self._schedule.now_us / 1_000_000

    @property
    def now_us(self) -> int:
        """The same in microseconds."""
        return self._schedule.now_us

    def utc_ms(self) -> int:
        """Wall time of the simulation."""
        return self.utc_start_ms + self._schedule.now_us // 1000

    def digest(self) -> str:
        """A hash of every line that `record` was given."""
        with self._changed:
            return self._schedule.digest()

    def is_here(self, name: str) -> bool:
        """Whether a participant of this name is expected or has not ended."""
        with self._changed:
            return self._schedule.is_here(name)

    def expect(self, name: str) -> None:
        """A participant is about to be started: no time passes and nobody has a turn until it has come.

        Before, the others do what is due now, so that nothing depends on how soon it comes.
        """
        with self._changed:
            must_settle = self._schedule.participants and not self._schedule.expected
        if must_settle:
            self.pass_s(0)
        with self._changed:
            self._schedule.expected.append(name)

    def forget(self, name: str) -> None:
        """Expect it no more: it was not started, or it ended before it came."""
        with self._changed:
            if name in self._schedule.expected:
                self._schedule.expected.remove(name)
        self._poke()

    def suspend(self, name: str, is_suspended: bool = True) -> None:
        """The computer of this participant sleeps, or wakes again: until then it has no turns."""
        with self._changed:
            self._schedule.suspend(name, is_suspended)

    def watch(self, quiet: Callable[[], bool]) -> None:
        """Before each turn wait until `quiet()`: a helper in this process has no bytes waiting and no work.

        It must say False at least once for whatever it did since it was asked before.
        """
        with self._changed:
            self._watches.append(quiet)

    def unwatch(self, quiet: Callable[[], bool]) -> None:
        """Ask `quiet` no more."""
        with self._changed:
            self._watches.remove(quiet)

    def pass_s(self, seconds: float) -> None:
        """Let so much time pass; 0: only what is due now is done. ConductorError when the run has failed."""
        self.pass_until(self._schedule.now_us + round(seconds * 1_000_000))

    def settle(self) -> None:
        """After asking somebody from outside, and before a signal: all that follows is done, and nobody has a turn.

        A microsecond passes, so that what is drawn from now on does not depend on what was asked.
        """
        self.pass_until(self._schedule.now_us + 1)

    @property
    def due(self) -> Due:
        """What wearables have sent to the player, for `ports`."""
        with self._changed:
            return self._schedule.player_due()

    def pass_until_late(self, seconds: float, fd: int) -> None:
        """Let so much time pass, but no more once the port `fd` of the player has something to read."""
        end_us = self._schedule.now_us + round(seconds * 1_000_000)
        self.pass_until(end_us, lambda: fd in self.ports.late())

    def until(
        self, condition: Callable[[], Any], timeout_s: float, what: str = "a condition", step_s: float = 0.03
    ) -> Any:
        """The first true value of `condition()`, which is asked every `step_s` while time stands.

        NotInTimeError after `timeout_s` of simulated time.
        """
        end_us = self._schedule.now_us + round(timeout_s * 1_000_000)
        while not (value := condition()):
            if self._schedule.now_us >= end_us:
                raise NotInTimeError(f"{what}: not within {timeout_s:g} s of simulated time")
            self.pass_until(min(self._schedule.now_us + round(step_s * 1_000_000), end_us))
        return value

    def until_gone(self, name: str, timeout_s: float) -> None:
        """Let time pass until that participant has ended; it then stands at the moment of its end."""
        if self.is_here(name):
            end_us = self._schedule.now_us + round(timeout_s * 1_000_000)
            self.pass_until(end_us, lambda: not self._schedule.is_here(name))
        if self.is_here(name):
            raise NotInTimeError(f"{name}: has not ended within {timeout_s:g} s of simulated time")

    def pass_until(self, limit_us: int, stop_when: Callable[[], bool] = lambda: False) -> None:
        """Let time pass until then, and no further than the end of a turn after which `stop_when()`."""
        with self._changed:
            self._raise_failure()
            self._schedule.limit_us, self._stop_when = limit_us, stop_when
            self._schedule.player_counts(self.ports.counts())
            # here, not at the bell: heard late it would give somebody a turn after this has returned
            self._schedule.touched()
            self._passing_since_s, self._is_passing = _real_s(), True
            self._poke()
            while self._is_passing:
                self._changed.wait()
            self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise type(self._failure)(*self._failure.args)

    def _poke(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._poke_end.send(b"!", socket.MSG_DONTWAIT)

    # -- the thread ------------------------------------------------------------------------------------------------

    def _conduct(self) -> None:
        poller = select.poll()
        poller.register(self._listener, select.POLLIN)
        poller.register(self._bell, select.POLLIN)
        try:
            while not self._is_closing:
                ready = {fd for fd, _ in poller.poll(self._patience_ms())}
                with self._changed:
                    # those who ended before the player said how far to go are gone before anybody has a turn
                    for participant in [one for one in self._schedule.participants if one.fd in ready]:
                        if not self._hear(participant):
                            poller.unregister(participant.fd)
                            self._gone(participant)
                    if self._listener.fileno() in ready:
                        poller.register(self._accept().fd, select.POLLIN)
                    if self._bell.fileno() in ready:
                        self._bell.recv(4096)
                    self._check_patience()
                    self._go_on()
        except ConductorError as error:
            self._fail(error)
        except Exception as error:
            self._fail(ConductorError(f"the conductor itself failed: {type(error).__name__}: {error}"))

    def _fail(self, error: ConductorError) -> None:
        told = "\n".join([f"{error} (seed {self.seed}, {self.now_s():.6f} s)", *self._schedule.last_lines])
        with self._changed:
            self._failure = type(error)(told)
            self._is_passing = False
            self._changed.notify_all()

    def _accept(self) -> Participant:
        connection, _ = self._listener.accept()
        self._numbers += 1
        participant = Participant(connection, self._numbers)
        self._schedule.participants.append(participant)
        return participant

    def _hear(self, participant: Participant) -> bool:
        """Take what a participant said; False when it has ended."""
        while True:
            try:
                message = participant.receive()
            except BlockingIOError:
                return True
            if message is None:
                return False
            if "idle" in message:
                self._schedule.idled(participant, message)
                self._stop_here()
            elif "wake" in message and not participant.has_turn:
                participant.seen = -1
            elif "bye" in message:
                participant.has_said_bye = True
                self._schedule.said_bye(participant, message)

    def _gone(self, participant: Participant) -> None:
        participant.close()
        self._schedule.gone(participant)
        self._stop_here()

    def _stop_here(self) -> None:
        """Time goes no further once what the player waits for has come about."""
        if self._stop_when():
            self._schedule.limit_us = self._schedule.now_us

    def _go_on(self) -> None:
        """Give the next turn, let time pass, or leave everything as it is until somebody says something."""
        if self._failure is not None or self._schedule.busy():
            return
        if self._helped():
            self._schedule.work += 1
        if self._schedule.start_next(_real_s()):
            return
        while not self._schedule.give_turn(_real_s()):
            if not self._is_passing:
                return
            if not self._schedule.step():
                self._is_passing = False
                self._changed.notify_all()
                return

    # -- real time: only to find out that nothing goes on --------------------------------------------------------

    def _patience_ms(self) -> float | None:
        """How long to wait for a message before somebody counts as hung."""
        since_s = self._waiting_since_s()
        if since_s is None or self._hang_s is None:
            return None
        waited_s = _real_s() - since_s
        for until_s in (_LONG * self._hang_s, self._hang_s):
            if waited_s < until_s:
                return (until_s - waited_s) * 1000 + 1
        return self._hang_s / _STARVED * 1000

    def _waiting_since_s(self) -> float | None:
        if busy := self._schedule.busy():
            return busy.since_s
        return self._passing_since_s if self._schedule.expected and self._is_passing else None

    def _check_patience(self) -> None:
        since_s = self._waiting_since_s()
        if since_s is None or self._hang_s is None or _real_s() - since_s < _LONG * self._hang_s:
            return
        busy = self._schedule.busy()
        worked_s = busy.worked_s() if busy else 0.0
        if _real_s() - since_s < self._hang_s:
            return
        is_starved = _real_s() - since_s < _STARVED * self._hang_s
        if is_starved and (busy is None or worked_s < self._hang_s * (1 - _LONG)):
            return
        if is_debugged() or any(one.is_debugged() for one in self._schedule.participants):
            if busy:
                busy.since_s = _real_s()
            self._passing_since_s = _real_s()
        elif busy:
            raise ParticipantHungError(
                f"{busy} has not ended its turn for {_real_s() - since_s:.1f} s of real time: {busy.stuck()}"
            )
        else:
            raise ParticipantHungError(
                f"{self._schedule.expected[0]} was expected and has not come: was it started?"
            )

    def _helped(self) -> bool:
        """Wait, for real, until every watched helper has nothing to do; whether one had."""
        begun_s, helped = _real_s(), False
        while not all(quiet() for quiet in self._watches):
            helped = True
            _really_sleep(_POLL_S)
            if self._hang_s is not None and _real_s() - begun_s > self._hang_s and not is_debugged():
                raise ParticipantHungError(f"a watched helper is not quiet for {self._hang_s:g} s")
        return helped
