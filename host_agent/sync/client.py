"""One session with one wearable: drives crs_core's HostSession over a transport, with a deadline on every wait.

`open()` does HELLO; `start()` begins reading; `request` asks and waits for the answer; `messages` holds what came
unasked. Only one request is outstanding at a time: the wearable's receive ring is a few hundred bytes.
"""

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from crs_core.errors import RemoteError
from crs_core.wire import hello as hello_part
from crs_core.wire import message as wire
from crs_core.wire import rights
from crs_core.wire import session as wire_session
from crs_core.wire.fragment_carrier import FragmentCarrier
from crs_core.wire.message_bounds import check_message
from crs_core.wire.parts import split_parts
from crs_core.wire.session_host import HostSession

from host_agent.clock import Clock, RealClock
from host_agent.errors import (
    AnswerTimeout,
    DeviceAtRepl,
    HelloTimeout,
    LinkError,
    NotAllowed,
    NotEnrolled,
    ProtocolError,
    RequestRefused,
    SessionClosed,
    SessionRefused,
    TransportLost,
)
from host_agent.keys.keyfile import DeviceKey
from host_agent.link.transport import Transport
from host_agent.sync.device_text import DeviceText
from host_agent.sync.nonce import mixed
from host_agent.sync.refusal import Refusal, bye_words, judge_refusal, may_alarm

HELLO_RETRY_S = 1.0
OPEN_DEADLINE_S = 5.0
ANSWER_DEADLINE_S = 5.0
_BYE_DEADLINE_S = 0.3
_MESSAGES_MAX = 4096  # a wearable that floods us is out of order, and memory is finite
_PROMPT_S = 1.5  # a wearable that shows a prompt gets so long to prove that its application runs
_REFUSED_MAX = 16


class DeviceClient:
    """Over one transport. `keys`: those of every wearable that may be on it, tried in turn."""

    def __init__(
        self,
        transport: Transport,
        keys: Sequence[DeviceKey],
        *,
        clock: Clock | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
        on_text: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.transport = transport
        self.messages: deque[Any] = deque()
        # messages that cannot be true, for who asks; the oldest are forgotten
        self.refused: deque[Refusal] = deque(maxlen=_REFUSED_MAX)
        self.peer: Any = None  # crs_core.wire.hello.Hello of the open session
        self.key: DeviceKey | None = None
        self.last_heard_s = 0.0  # link clock, when the last authenticated message came
        self._keys = list(keys)
        self._clock: Clock = clock or RealClock()
        self._draw = mixed(random_bytes)
        self._text = DeviceText(on_text)
        self._session: Any = None
        self._reader: asyncio.Task[None] | None = None
        self._doubt: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()
        self._arrived = asyncio.Event()
        self._failure: Exception | None = None
        self.over = asyncio.Event()  # set once this session has ended: nothing more can be asked in it
        self._asking = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._awaited: tuple[Callable[[Any], bool], asyncio.Future[Any]] | None = None
        self._past_counters: dict[str, int] = {}

    # -- opening ---------------------------------------------------------------------------------------------------

    async def open(self, deadline_s: float = OPEN_DEADLINE_S) -> Any:
        """Open a session; returns the wearable's Hello. HelloTimeout, DeviceAtRepl, SessionRefused say why not."""
        if not self._keys:
            raise NotEnrolled("this laptop holds no key of any wearable")
        refusal: SessionRefused | None = None
        for key in self._keys:
            try:
                async with asyncio.timeout(deadline_s):
                    await self._handshake(key)
            except TimeoutError:
                for event in self._session.link_lost():
                    self._is_prompt(event)
                raise HelloTimeout(f"{self.transport.name}: no HELLO within {deadline_s:g} s") from None
            except NotEnrolled as error:
                refusal = error
                continue
            self.key = key
            return self.peer
        assert refusal is not None
        raise refusal

    async def _handshake(self, key: DeviceKey) -> None:
        self._keep_counters()
        self._session = HostSession(key, self._draw, key.device_id, carrier=self._carrier())
        proofs_refused = 0
        answered = False
        prompt_until_s: float | None = None
        await self._write(self._session.start_pieces())
        while True:
            left_s = None if prompt_until_s is None else prompt_until_s - asyncio.get_running_loop().time()
            if left_s is not None and left_s <= 0:
                raise self._at_repl()
            try:
                async with asyncio.timeout(HELLO_RETRY_S if left_s is None else left_s):
                    data = await self.transport.read()
            except TimeoutError:
                if left_s is not None:
                    continue
                # our PROOF or the wearable's got lost: its HELLO counts for one try only
                await self._write(self._session.start_pieces() if answered else self._session.again_pieces())
                answered = False
                continue
            for event in self._session.receive(data):
                if isinstance(event, wire_session.Send):
                    answered = True
                    await self._write([event.data])
                elif isinstance(event, wire_session.Opened):
                    self.peer = event.peer
                    self.last_heard_s = self._clock.monotonic()
                elif isinstance(event, wire_session.Refused):
                    proofs_refused += event.reason == hello_part.REFUSE_PROOF
                    judge_refusal(self.transport.name, event, key, proofs_refused)
                    if event.reason == hello_part.REFUSE_PROOF:
                        answered = False
                        await self._write(self._session.start_pieces())
                elif isinstance(event, wire_session.Received):
                    self._take(event.message)
                elif self._is_prompt(event) and prompt_until_s is None:
                    # Anyone can write text. What is at its prompt does not answer, and no more is typed into it.
                    prompt_until_s = asyncio.get_running_loop().time() + _PROMPT_S
            if self.peer is not None and self._session.is_open:
                return

    def _carrier(self) -> Any:
        """Fragments where the link carries small pieces that keep their bounds; None: serial frames.

        One for the whole connection: its count goes on from session to session.
        """
        size = self.transport.fragment_bytes
        if size is not None and self.transport.carrier is None:
            self.transport.carrier = FragmentCarrier(size, wire_session.LARGEST_TO_HOST)
        return self.transport.carrier

    async def _write(self, pieces: Sequence[bytes]) -> None:
        """One payload: nobody else's piece comes between."""
        async with self._writing:
            for piece in pieces:
                await self.transport.write(piece)

    # -- in session ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Read from now on, in a task of its own, until `close`."""
        self._reader = asyncio.create_task(self._read_loop(), name=f"read {self.transport.name}")

    async def next_message(self) -> Any:
        """The next message that nobody asked for; raises what ended the session."""
        while not self.messages:
            if self._failure is not None:
                raise self._failure
            self._arrived.clear()
            await self._arrived.wait()
        return self.messages.popleft()

    async def send(self, message: Any) -> None:
        """Seal and write one message; NotAllowed before anything is sent, when the wearable would refuse it."""
        if self._failure is not None:
            raise self._failure
        if not self._session.is_open:
            raise SessionClosed("no session is open")
        if self.key is not None and (right := rights.needed(message)):
            self.key.demand(right)
        await self._write(self._session.seal_pieces(message))

    async def request(
        self, message: Any, is_answer: Callable[[Any], bool], deadline_s: float = ANSWER_DEADLINE_S
    ) -> Any:
        """Send, and wait for the first message that `is_answer` accepts; AnswerTimeout after `deadline_s` (real)."""
        async with self._asking:
            answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._awaited = (is_answer, answer)
            try:
                async with asyncio.timeout(deadline_s):
                    await self.send(message)
                    return await answer
            except TimeoutError:
                name = type(message).__name__
                raise AnswerTimeout(
                    f"{self.transport.name}: no answer to {name} in {deadline_s:g} s"
                ) from None
            finally:
                self._awaited = None

    async def ask(self, message: Any, answer_type: type[Any], deadline_s: float = ANSWER_DEADLINE_S) -> Any:
        """`request` for an answer of one type; RequestRefused when the wearable answers with a Result instead."""
        number = wire.type_of(message)

        def is_answer(reply: Any) -> bool:
            return isinstance(reply, answer_type) or (
                isinstance(reply, wire.Result) and reply.request == number
            )

        reply = await self.request(message, is_answer, deadline_s)
        if isinstance(reply, answer_type) and not isinstance(reply, wire.Result):
            return reply
        if reply.code not in (wire.RESULT_DONE, wire.RESULT_MORE_PARTS):
            refusal = NotAllowed if reply.code == wire.RESULT_FORBIDDEN else RequestRefused
            raise refusal(f"the wearable refused {type(message).__name__}: {reply.detail}", reply.code)
        return reply

    async def command(self, message: Any, deadline_s: float = ANSWER_DEADLINE_S) -> Any:
        """A request whose answer is a Result; RequestRefused carries its code."""
        return await self.ask(message, wire.Result, deadline_s)

    async def send_context(self, data: bytes, deadline_s: float = 10.0) -> None:
        """Bring one entry (crs_core.context) to the wearable; on return it is journaled there."""
        pieces = split_parts(data, self.peer_largest - 3)
        for part, piece in enumerate(pieces):
            await self.command(wire.Context(part, len(pieces), piece), deadline_s)

    async def set_settings(self, text: str, deadline_s: float = 30.0) -> None:
        """Change settings: canonical `key=value` lines."""
        pieces = split_parts(text.encode(), self.peer_largest - 4)
        for part, piece in enumerate(pieces):
            await self.command(wire.Settings(wire.SETTINGS_SET, part, len(pieces), piece), deadline_s)

    async def get_settings(self) -> Any:
        """The SettingsIs of the wearable."""
        return await self.ask(wire.Settings(wire.SETTINGS_GET, 0, 1, b""), wire.SettingsIs)

    @property
    def peer_largest(self) -> int:
        """Plaintext bytes that the wearable accepts in one message."""
        return int(self._session.peer_largest)

    def counters(self) -> dict[str, int]:
        """Everything that was dropped on this transport, by name."""
        totals = dict(self._past_counters)
        for name, value in (self._session.counters() if self._session else {}).items():
            totals[name] = totals.get(name, 0) + value
        return totals

    async def close(self, reason: int = wire.BYE_DONE) -> None:
        """Say BYE if the port still takes it, stop reading; the transport stays for its owner to close."""
        for task in (self._reader, self._doubt):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        self._reader = self._doubt = None
        if self._session is not None and self._session.is_open:
            with contextlib.suppress(TransportLost, TimeoutError):
                async with asyncio.timeout(_BYE_DEADLINE_S):
                    said = self._session.close(reason)
                    await self._write([event.data for event in said if isinstance(event, wire_session.Send)])
        self._fail(SessionClosed("closed by this agent"))

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _read_loop(self) -> None:
        try:
            while True:
                data = await self.transport.read()
                for event in self._session.receive(data):
                    if isinstance(event, wire_session.Received):
                        self._take(event.message)
                    elif isinstance(event, wire_session.Send):
                        await self._write([event.data])
                    elif isinstance(event, wire_session.Closed):
                        raise SessionClosed(bye_words(event.reason))
                    elif isinstance(event, wire_session.Refused):
                        if event.reason == hello_part.REFUSE_NO_SESSION:
                            raise SessionClosed("the wearable restarted: it knows no session")
                    elif self._is_prompt(event) and (self._doubt is None or self._doubt.done()):
                        self._doubt = asyncio.create_task(self._doubt_application())
        except LinkError as error:
            self._fail(error)
        except ProtocolError as error:
            self._fail(error)

    def _take(self, message: Any) -> None:
        self.last_heard_s = self._clock.monotonic()
        self._heard.set()
        try:
            check_message(message)
        except RemoteError as error:
            self.refused.append(Refusal(str(error.args[0]), may_alarm(message)))
            message = wire.Unknown(wire.type_of(message), b"")
        if self._awaited is not None and not self._awaited[1].done() and self._awaited[0](message):
            self._awaited[1].set_result(message)
            return
        if len(self.messages) >= _MESSAGES_MAX:
            raise ProtocolError(f"{self.transport.name}: more messages than can be handled")
        self.messages.append(message)
        self._arrived.set()

    def _is_prompt(self, event: Any) -> bool:
        """Log the text of an event; whether a Python prompt is in it."""
        return isinstance(event, wire_session.Text) and self._text.feed(event.data)

    def _at_repl(self) -> DeviceAtRepl:
        return DeviceAtRepl(f"{self.transport.name} shows a Python prompt: its application is not running")

    async def _doubt_application(self) -> None:
        """A prompt was shown in session. Text proves nothing: the session ends only if nothing authentic follows."""
        self._heard.clear()
        try:
            async with asyncio.timeout(_PROMPT_S):
                await self.send(wire.Ping(0))
                await self._heard.wait()
                await asyncio.Event().wait()  # one PING in this time, however often a prompt is written
        except TimeoutError:
            if not self._heard.is_set():
                self._fail(self._at_repl())
        except (LinkError, ProtocolError) as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = error
        self.over.set()
        if self._awaited is not None and not self._awaited[1].done():
            self._awaited[1].set_exception(self._failure)
        self._arrived.set()

    def _keep_counters(self) -> None:
        self._past_counters = self.counters()
