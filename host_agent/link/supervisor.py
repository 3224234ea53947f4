"""Keeps one port in session: a state machine that reports each state with its reason.

    opening -> hello_wait -> open -> lost -> (back-off) -> opening
                  |-> refused (reason)    slow retry
                  '-> at_repl             slow retry, one try each
    released (until) at any time by `release`
    standby (reason) while another link serves the same wearable

All times here are real seconds: in a simulation the deadlines of a link do not run faster.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import NamedTuple, Protocol

from host_agent.clock import Clock, RealClock, sleep_or_event
from host_agent.errors import DeviceAtRepl, HostAgentError, LinkError, SessionRefused
from host_agent.link.ownership import Claim
from host_agent.link.transport import Transport

BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 5.0
BACKOFF_FACTOR = 2.0
_STEADY_S = 10.0  # a session that lasted this long resets the back-off
RELEASE_MAX_S = 3600.0
_STANDBY_LOOK_S = 5.0


class LinkState(StrEnum):
    """The states of a link."""

    OPENING = "opening"
    HELLO_WAIT = "hello_wait"
    REFUSED = "refused"
    AT_REPL = "at_repl"
    OPEN = "open"
    LOST = "lost"
    RELEASED = "released"
    STANDBY = "standby"
    STOPPED = "stopped"


class LinkReport(NamedTuple):
    """One change of state. `code` and `advice` are those of the error that caused it, "" without one."""

    port: str
    state: LinkState
    reason: str
    code: str
    advice: str
    since_utc_ms: int
    device_id: bytes | None
    attempt: int
    until_utc_ms: int | None


class OpenReporter(Protocol):
    """The session calls it once the wearable has proved its key."""

    def __call__(self, device_id: bytes) -> None:
        """The session is open with this wearable."""
        ...


RunSession = Callable[[Transport, OpenReporter], Awaitable[None]]


class LinkSupervisor:
    """Supervises one port. Run `run()` as a task; `release`, `retake` and `report` may be called any time."""

    def __init__(
        self,
        port: str,
        open_transport: Callable[[], Awaitable[Transport]],
        run_session: RunSession,
        *,
        on_report: Callable[[LinkReport], None] = lambda report: None,
        make_claim: Callable[[], Claim] | None = None,
        clock: Clock | None = None,
        standby: Callable[[], str] = lambda: "",
        opened_max_s: float = BACKOFF_MAX_S,
    ) -> None:
        """`standby()` says why this link must rest now, "" when it may work; call `reconsider` when that changes.
        `opened_max_s`: longest pause after a try that was in session, for a link that breaks often.

        `run_session(transport, opened)` does HELLO, calls `opened(device_id)`, syncs, and raises when it ends.
        """
        self.port = port
        self._open_transport = open_transport
        self._run_session = run_session
        self._on_report = on_report
        self._make_claim = make_claim
        self._claim: Claim | None = None
        self._clock: Clock = clock or RealClock()
        self._session: asyncio.Task[None] | None = None
        self._released_until_s: float | None = None
        self._standby = standby
        self._opened_max_s = opened_max_s
        self._wake = asyncio.Event()
        self._was_open = False  # in the last try
        self._attempt = 0
        self.report = LinkReport(
            port, LinkState.OPENING, "starting", "", "", self._clock.utc_ms(), None, 0, None
        )

    async def run(self) -> None:
        """Until cancelled. Every error leads to another try."""
        backoff_s = BACKOFF_FIRST_S
        try:
            while True:
                if self._released_until_s is not None:
                    await self._stay_released()
                    backoff_s = BACKOFF_FIRST_S
                if await self._stand_by():
                    backoff_s = BACKOFF_FIRST_S
                    continue
                started_s = self._clock.monotonic()
                await self._one_session()
                if self._released_until_s is not None or self._standby():
                    continue
                if self.report.state in (LinkState.REFUSED, LinkState.AT_REPL):
                    backoff_s = BACKOFF_MAX_S
                elif self._clock.monotonic() - started_s >= _STEADY_S:
                    backoff_s = BACKOFF_FIRST_S
                elif self._was_open:
                    backoff_s = min(backoff_s, self._opened_max_s)
                await self._pause(backoff_s)
                backoff_s = min(backoff_s * BACKOFF_FACTOR, BACKOFF_MAX_S)
        finally:
            self._drop_claim()
            self._tell(LinkState.STOPPED, "stopped")

    async def release(self, seconds: float) -> None:
        """Leave the port to another program for real seconds, at most an hour. Returns once the port is closed."""
        seconds = min(max(seconds, 0.0), RELEASE_MAX_S)
        self._released_until_s = self._clock.monotonic() + seconds
        session = self._session
        if session is not None:
            session.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([session])
        self._wake.set()

    def retake(self) -> None:
        """End a release early."""
        if self._released_until_s is not None:
            self._released_until_s = self._clock.monotonic()
            self._wake.set()

    def reconsider(self) -> None:
        """`standby` may answer differently now: end the session if there is a reason, begin one if there is none."""
        if self._standby() and self._session is not None:
            self._session.cancel()
        self._wake.set()

    async def _stand_by(self) -> bool:
        """Rest while there is a reason; True when this link rested."""
        rested = False
        while self._released_until_s is None and (reason := self._standby()):
            rested = True
            self._tell(LinkState.STANDBY, reason)
            await self._pause(_STANDBY_LOOK_S)
        return rested

    async def _one_session(self) -> None:
        self._attempt += 1
        self._was_open = False
        self._session = asyncio.create_task(self._attempt_session(), name=f"link {self.port}")
        try:
            await asyncio.wait([self._session])
        finally:  # when this task is cancelled, the session ends first
            if not self._session.done():
                self._session.cancel()
                await asyncio.wait([self._session])
        session, self._session = self._session, None
        if session.cancelled():
            return
        error = session.exception()
        if isinstance(error, DeviceAtRepl):
            self._tell(LinkState.AT_REPL, str(error), error)
        elif isinstance(error, SessionRefused):
            self._tell(LinkState.REFUSED, str(error), error)
        elif isinstance(error, HostAgentError):
            self._tell(LinkState.LOST, str(error), error)
        elif error is not None:  # a fault in the agent must not end monitoring: report it and try again
            self._tell(
                LinkState.LOST, f"internal error: {type(error).__name__}: {error}", LinkError(str(error))
            )
        else:
            self._tell(LinkState.LOST, "the session ended")

    async def _attempt_session(self) -> None:
        self._tell(LinkState.OPENING, "opening the port")
        if self._make_claim is not None and self._claim is None:
            self._claim = self._make_claim()
        try:
            transport = await self._open_transport()
        except HostAgentError:
            # The wearable may be gone, and the system gives its port's name to the next device that is plugged in.
            self._drop_claim()
            raise
        try:
            self._tell(LinkState.HELLO_WAIT, "waiting for the wearable's HELLO")
            await self._run_session(transport, self._opened)
        finally:
            transport.close()

    def _drop_claim(self) -> None:
        if self._claim is not None:
            self._claim.drop()
            self._claim = None

    def _opened(self, device_id: bytes) -> None:
        self._attempt = 0
        self._was_open = True
        self._tell(LinkState.OPEN, "in session", device_id=device_id)

    async def _stay_released(self) -> None:
        while self._released_until_s is not None:
            left_s = self._released_until_s - self._clock.monotonic()
            if left_s <= 0:
                break
            until_utc_ms = self._clock.utc_ms() + round(left_s * 1000)
            if self._claim is not None:
                self._claim.mark_released(until_utc_ms)
            self._tell(LinkState.RELEASED, f"released for {left_s:.0f} s", until_utc_ms=until_utc_ms)
            await self._pause(left_s)
        self._released_until_s = None
        if self._claim is not None:
            self._claim.mark_released(None)

    async def _pause(self, seconds: float) -> None:
        """Sleep, or wake early when `release`, `retake` or `reconsider` was called."""
        try:
            await sleep_or_event(self._clock, seconds, self._wake)
        finally:
            self._wake.clear()

    def _tell(
        self,
        state: LinkState,
        reason: str,
        error: HostAgentError | None = None,
        *,
        device_id: bytes | None = None,
        until_utc_ms: int | None = None,
    ) -> None:
        same = self.report.state == state
        self.report = LinkReport(
            self.port,
            state,
            reason,
            error.code if error else "",
            error.advice if error else "",
            self.report.since_utc_ms if same else self._clock.utc_ms(),
            device_id if device_id is not None else self.report.device_id,
            self._attempt,
            until_utc_ms,
        )
        self._on_report(self.report)
