"""One connection to an MQTT 5 broker, from its CONNECT to its end. It never connects again by itself.

The broker's reason for every publish is kept: a publish to a topic that it forbids is answered like any other, and only
the reason code of the PUBACK says so (MQTT 5.0, 3.4.2.1).
"""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from paho.mqtt.client import Client, MQTTv5, error_string
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from host_agent.forward.delivery import NotConnectedError

KEEPALIVE_S = (
    15  # the broker publishes the last will one and a half times as long after the last sign of life
)
_PACKET_BYTES = (
    65536  # a broker keeps back what is longer (MQTT 5.0, 3.1.2.11.4), so no stranger fills the memory
)
NOT_ANSWERED = "the broker closed the connection"


class Will(NamedTuple):
    """A retained message that the broker publishes when the connection breaks."""

    topic: str
    payload: bytes


class Limits(NamedTuple):
    """What the broker said in its CONNACK that it takes (MQTT 5.0, 3.2.2.3); None: any length."""

    qos: int
    packet_bytes: int | None


class Login(NamedTuple):
    """Where and as whom; `tls` None: not encrypted."""

    host: str
    port: int
    client_id: str
    username: str | None
    password: str | None
    tls: ssl.SSLContext | None


class Connection:
    """Call every method in one event loop. `closed` is done when it ended, with the reason in words."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._client: Client | None = None
        self._ready: asyncio.Future[Limits] = self._loop.create_future()
        self._acks: dict[int, asyncio.Future[ReasonCode]] = {}
        self.closed: asyncio.Future[str] = self._loop.create_future()

    async def open(self, login: Login, will: Will, timeout_s: float) -> Limits:
        """Raises NotConnectedError when the broker is not reached, does not answer in `timeout_s`, or refuses."""
        client = Client(
            CallbackAPIVersion.VERSION2, login.client_id, protocol=MQTTv5, reconnect_on_failure=False
        )
        client.connect_timeout = timeout_s
        if login.username is not None:
            client.username_pw_set(login.username, login.password)
        if login.tls is not None:
            client.tls_set_context(login.tls)
        client.will_set(will.topic, will.payload, qos=1, retain=True)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._acknowledged
        client.on_subscribe = self._subscribed
        self._client = client
        # A name server that does not answer holds this thread; the end of the process does not wait for it.
        threading.Thread(target=self._connect, args=(client, login), name="mqtt connect", daemon=True).start()
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(self._ready)
        except TimeoutError:
            self._end(f"no answer within {timeout_s:g} s")
            raise NotConnectedError(f"no answer within {timeout_s:g} s") from None

    async def publish(self, topic: str, payload: bytes, *, retain: bool, timeout_s: float) -> ReasonCode:
        """Publish once with QoS 1; the broker's reason code, NotConnectedError when the connection ends before."""
        if self._client is None or self.closed.done():
            raise NotConnectedError(self.closed.result() if self.closed.done() else "it was never opened")
        sent = self._client.publish(topic, payload, qos=1, retain=retain)
        if sent.rc:
            raise NotConnectedError(error_string(sent.rc))
        return await self._answer_to(sent.mid, timeout_s)

    async def _answer_to(self, mid: int, timeout_s: float) -> ReasonCode:
        ack: asyncio.Future[ReasonCode] = self._loop.create_future()
        self._acks[mid] = ack
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.wait((ack, self.closed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._acks.pop(mid, None)
        if ack.done():
            return ack.result()
        raise NotConnectedError(self.closed.result())

    async def subscribe(
        self, topic: str, on_message: Callable[[bytes, bool], None], timeout_s: float
    ) -> ReasonCode:
        """Have what others publish to `topic` from now on, with QoS 1: (payload, whether it is to be retained).

        What the broker has retained is not sent. NotConnectedError when the connection ends before the answer.
        """
        if self._client is None or self.closed.done():
            raise NotConnectedError(self.closed.result() if self.closed.done() else "it was never opened")
        self._client.on_message = lambda _client, _data, message: self._in_loop(
            on_message, message.payload, message.retain
        )
        options = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=2)
        sent, mid = self._client.subscribe(topic, options=options)
        if sent or mid is None:
            raise NotConnectedError(error_string(sent))
        return await self._answer_to(mid, timeout_s)

    def close(self, why: str = "closed here") -> None:
        """End in good order: the broker drops the last will."""
        self._end(why)

    def _connect(self, client: Client, login: Login) -> None:
        """In a thread of its own: names, TCP and TLS block."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.MaximumPacketSize = _PACKET_BYTES
        try:
            client.connect(
                login.host,
                login.port,
                KEEPALIVE_S,
                clean_start=True,
                properties=properties,
            )
            client.loop_start()
        except ssl.SSLCertVerificationError as error:
            self._in_loop(self._end, f"its certificate is refused: {error.verify_message}")
        except (OSError, ValueError) as error:
            self._in_loop(self._end, f"not reached: {error}")

    def _in_loop(self, call: Callable[..., object], *given: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            self._loop.call_soon_threadsafe(partial(call, *given))

    def _connected(
        self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        if reason.is_failure:
            self._in_loop(self._end, f"the broker refuses the connection: {reason}", True)
            return
        packet_bytes = getattr(properties, "MaximumPacketSize", None)
        limits = Limits(getattr(properties, "MaximumQoS", 2), packet_bytes)
        self._in_loop(self._set_ready, limits)

    def _disconnected(
        self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        self._in_loop(self._end, f"{NOT_ANSWERED}: {reason}" if reason.is_failure else NOT_ANSWERED)

    def _acknowledged(
        self, _client: Client, _data: Any, mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        self._in_loop(self._set_ack, mid, reason)

    def _subscribed(
        self, _client: Client, _data: Any, mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        self._in_loop(self._set_ack, mid, reasons[0])

    def _set_ready(self, limits: Limits) -> None:
        if self.closed.done() and self._client is not None:  # given up while it was being opened
            self._client.disconnect()
        if not self._ready.done():
            self._ready.set_result(limits)

    def _set_ack(self, mid: int, reason: ReasonCode) -> None:
        ack = self._acks.get(mid)
        if ack is not None and not ack.done():
            ack.set_result(reason)

    def _end(self, why: str, was_reached: bool = False) -> None:
        if not self.closed.done():
            self.closed.set_result(why)
        if not self._ready.done():
            self._ready.set_exception(NotConnectedError(why, was_reached))
            self._ready.exception()  # nobody may be waiting any more
        if self._client is not None:
            self._client.disconnect()
