"""Brings waiting entries to the wearable: when one was taken, when a session opens, and again until it is journaled.

A wearable that restarted dropped what has a time limit: it gets once more what is still valid, as soon as its records
are here, so that no newer sign in them is overlooked.

Nothing waits for this: an entry counts on the host as soon as it is committed.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from crs_core.wire import message as wire
from crs_core.wire import rights

from host_agent.agent_run import NO_AGES, AgesBefore
from host_agent.clock import Clock
from host_agent.errors import LinkError, ProtocolError, RequestRefused, StoreError
from host_agent.keys.keyfile import DeviceKey
from host_agent.people import rule_sending
from host_agent.people.outgoing import message_of
from host_agent.people.resending import to_send_again
from host_agent.people.validity import FUTURE_MS
from host_agent.people.wearable_says import Resolve
from host_agent.store import outgoing
from host_agent.store.db import Store, Tx

_LOG = logging.getLogger(__name__)
_NO_RIGHT = "this laptop's key may not bring entries to it"
_CLOCK_BEFORE = "this laptop's clock stands before it"
_NO_TIME = "it was entered while this laptop's clock stood ahead: enter it again"
_NO_AGE = (
    "its age is not known: this computer's clock was set back while the agent did not run. Enter it again"
)
_AHEAD_MAX_MS = 600_000  # a clock that is set by minutes: the entry waits for its time, to keep the order
RETRY_S = 5.0  # real: how long a wearable that did not answer is left alone


class ContextClient(rule_sending.SettingsClient, Protocol):
    """The part of a session's client that is needed here."""

    key: DeviceKey | None

    async def send_context(self, data: bytes) -> None:
        """Returns when the wearable says that it journaled it."""
        ...


class Session(NamedTuple):
    """A wearable in session, bound by the binding of this row, in its boot `boot`.

    `is_caught_up`: the store holds everything that it had.
    """

    binding: int
    client: ContextClient
    boot: int = 0
    is_caught_up: bool = False


def _may(session: Session, right: int) -> bool:
    return session.client.key is not None and session.client.key.may(right)


class ContextSender:
    """One job of the agent."""

    def __init__(
        self,
        store: Store,
        sessions: Callable[[], Iterable[Session]],
        clock: Clock,
        link_clock: Clock,
        resolve: Resolve,
        *,
        before: AgesBefore = NO_AGES,
    ) -> None:
        """`clock` dates observations (it may be scaled), `link_clock` paces the tries, `resolve` dates records.

        `before`: how old the entries are that waited before this agent ran.
        """
        self._store = store
        self._sessions = sessions
        self._clock = clock
        self._link = link_clock
        self._resolve = resolve
        self._due = asyncio.Event()
        # binding → the client of the session in which nothing is missing any more, and how the clock was set then
        self._restored: dict[int, tuple[object, float]] = {}
        # audit row → its age, ms, when it was first seen waiting, and when that was
        self._first_seen: dict[int, tuple[int, float]] = {}
        self._before: AgesBefore | None = before  # until the first look
        self._no_age: set[int] = set()  # audit rows that nobody can date any more
        # audit row → the client that it was sent by: its record may come later
        self._sent: dict[int, object] = {}
        self._brought: dict[int, tuple[object, dict[str, str]]] = {}
        # binding → why its wearable refused signed numbers, "" when it has them; none before its first session
        self.refused_numbers: dict[int, str] = {}

    def wake(self) -> None:
        """Look for waiting entries now: an entry was taken, or a session opened."""
        self._due.set()

    async def run(self) -> None:
        """Send every waiting entry to its wearable, until the task is cancelled."""
        while True:
            await self._wait()
            try:
                self._note_ages(await self._store.read(outgoing.all_waiting))
                if await self._store.read(outgoing.waiting_for_nobody):
                    await self._store.write(self._leave_ended)
            except StoreError as error:
                _LOG.warning("waiting entries cannot be read or marked: %s", error)
            for session in list(self._sessions()):
                try:
                    await self._serve(session)
                except StoreError as error:
                    _LOG.warning("waiting entries cannot be read or marked: %s", error)
                except Exception:
                    # what one wearable's rows hold must not stop the entries to another
                    _LOG.exception("entries to one wearable failed and are tried again")

    async def _serve(self, session: Session) -> None:
        if not _may(session, rights.CONTEXT):
            await self._say_no_right(session)
        elif await self._send_again(session):
            await self._send(session)
        await self._send_numbers(session)

    async def _wait(self) -> None:
        """Until woken, or for the pause between two tries."""
        pause = asyncio.ensure_future(self._link.sleep(RETRY_S))
        due = asyncio.ensure_future(self._due.wait())
        try:
            await asyncio.wait([pause, due], return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()
            due.cancel()
        self._due.clear()

    async def _send_again(self, session: Session) -> bool:
        """What a restart dropped goes before what waits, to keep the order; False: try again before anything else."""
        now_ms = self._clock.utc_ms()
        # a clock that was set since may tell ages that were unknown before
        set_s = now_ms / 1000 - self._clock.monotonic()
        client, before_s = self._restored.get(session.binding, (None, 0.0))
        if not session.is_caught_up or (client is session.client and abs(set_s - before_s) <= 1):
            return True
        try:
            missing = await self._store.read(
                lambda tx: to_send_again(tx, session.binding, session.boot, now_ms, self._resolve)
            )
        except StoreError:
            raise
        except Exception:
            # a damaged row must not hold back what was entered since
            _LOG.exception("it is not known which entries the wearable lacks")
            missing = []
        for again in missing:
            if self._sent.get(again.item.audit) is session.client:
                continue
            if not await self._bring(session, again.item, again.message()):
                return False
            _LOG.info("the wearable restarted and has entry %d again", again.item.audit)
        self._restored[session.binding] = (session.client, set_s)
        return True

    async def _bring(self, session: Session, item: outgoing.Outgoing, message: bytes) -> bool:
        """Send one entry; False when nothing came back, so that the later ones must wait."""
        state, error = outgoing.JOURNALED, ""
        try:
            await session.client.send_context(message)
        except RequestRefused as refusal:
            error = str(refusal)
            if refusal.result_code != wire.RESULT_BAD_VALUE:
                await self._tried(item.audit, error)
                return False
            state = outgoing.REFUSED
            _LOG.error("the wearable refused entry %d and does not grade with it: %s", item.audit, error)
        except (LinkError, ProtocolError) as lost:
            await self._tried(item.audit, str(lost))
            return False
        self._sent[item.audit] = session.client
        await self._done(item.audit, state, error)
        return True

    async def _send(self, session: Session) -> None:
        """Send in the order of signing. An entry without an answer holds back the later ones, to keep the order."""
        for item in await self._store.read(lambda tx: outgoing.waiting(tx, session.binding)):
            now_ms = self._clock.utc_ms()
            ahead_ms = item.observed_utc_ms - now_ms
            if ahead_ms > _AHEAD_MAX_MS:  # sent when that time comes, it would pass for new
                await self._done(item.audit, outgoing.REFUSED, _NO_TIME)
                continue
            if ahead_ms > FUTURE_MS:
                if item.last_error != _CLOCK_BEFORE:
                    await self._tried(item.audit, _CLOCK_BEFORE)
                return
            if item.audit in self._no_age:
                await self._done(item.audit, outgoing.REFUSED, _NO_AGE)
                continue
            try:
                message = message_of(item, now_ms, self._least_age_ms(item.audit))
            except Exception as error:
                _LOG.exception("entry %d cannot be sent", item.audit)
                await self._done(item.audit, outgoing.REFUSED, f"it cannot be sent: {error}")
                continue
            if not await self._bring(session, item, message):
                return

    def _note_ages(self, waiting: Iterable[outgoing.Outgoing]) -> None:
        now_ms, now_s = self._clock.utc_ms(), self._clock.monotonic()
        waiting = list(waiting)
        before, self._before = self._before, None
        if before is not None and not before.is_known:
            self._no_age = {item.audit for item in waiting}
        self._first_seen = {
            item.audit: self._first_seen.get(
                item.audit,
                (max(before.of(item.audit) if before else 0, now_ms - item.observed_utc_ms, 0), now_s),
            )
            for item in waiting
        }

    def waiting_ages(self) -> dict[int, int]:
        """Audit row -> least age, ms, of every entry that waits, for whoever runs after this agent."""
        return {audit: self._least_age_ms(audit) for audit in self._first_seen}

    def _least_age_ms(self, audit: int) -> int:
        """How old an entry is at least: as when it was first seen here, and since then by a clock that nobody can set.

        A clock that was set back makes nothing younger.
        """
        now_s = self._clock.monotonic()
        age_ms, since_s = self._first_seen.get(audit, (0, now_s))
        return age_ms + round((now_s - since_s) * 1000)

    async def _say_no_right(self, session: Session) -> None:
        """Note once for each entry why it goes nowhere from this laptop."""
        for item in await self._store.read(lambda tx: outgoing.waiting(tx, session.binding)):
            if item.last_error != _NO_RIGHT:
                await self._tried(item.audit, _NO_RIGHT)

    async def _send_numbers(self, session: Session) -> None:
        """Signed rules and limits, once for each session and each change of them."""
        if not _may(session, rights.SETTINGS):
            return
        numbers = await self._store.read(lambda tx: rule_sending.wanted(tx, session.binding))
        if self._brought.get(session.binding) == (session.client, numbers):
            return
        try:
            await rule_sending.bring(session.client, numbers)
        except RequestRefused as refusal:
            _LOG.error("the wearable refused signed numbers and decides by its own: %s", refusal)
            if refusal.result_code != wire.RESULT_BAD_VALUE:
                return  # flash said no: the next turn tries again
            self.refused_numbers[session.binding] = str(refusal)
        except (LinkError, ProtocolError):
            return  # the next turn tries again
        else:
            self.refused_numbers[session.binding] = ""
        self._brought[session.binding] = (session.client, numbers)

    def _leave_ended(self, tx: Tx) -> None:
        """Give up what still waits for a wearable whose binding ended."""
        now_ms = self._clock.utc_ms()
        for item in outgoing.waiting_for_nobody(tx):
            outgoing.finish(tx, item.audit, outgoing.LEFT, "the binding ended first", now_ms)

    async def _tried(self, audit: int, error: str) -> None:
        await self._store.write(lambda tx: outgoing.note_attempt(tx, audit, error))

    async def _done(self, audit: int, state: str, error: str) -> None:
        now_ms = self._clock.utc_ms()
        await self._store.write(lambda tx: outgoing.finish(tx, audit, state, error, now_ms))
