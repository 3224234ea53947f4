"""Deliver an event to an MQTT 5 broker: QoS 1, taken only when the broker's reason code says so.

    TOPIC/DEVICE/event              each event, as JSON; `agent` in the place of DEVICE for the laptop itself
    TOPIC/DEVICE/state              retained: the newest event of that wearable, in short
    TOPIC/laptop/CLIENT_ID/status   retained: online, or offline (the last will, when the laptop dies)
    TOPIC/accept                    with accept_replies: where people send the code of a message
    TOPIC/accept/answer             what became of it

A broker that took an event which nobody subscribes to has reached nobody: that is no delivery.
"""

import asyncio
import contextlib
import json
import logging
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from host_agent.errors import ConfigError
from host_agent.forward.address import check_address
from host_agent.forward.delivery import (
    Delivered,
    Delivery,
    NotConnectedError,
    OnReply,
    Outcome,
    Rejected,
    RetryAfter,
)
from host_agent.forward.endpoint import Endpoint
from host_agent.forward.http_settings import tls_context
from host_agent.forward.mqtt_discovery import discovery
from host_agent.forward.receiver import Receiver
from host_agent.forward.replies import Replies
from host_agent.forward.secret import VariableName

if TYPE_CHECKING:
    from host_agent.forward.mqtt_connection import Connection, Limits

_LOG = logging.getLogger(__name__)
_LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
_UNNAMED = re.compile(r"[^a-z0-9-]+")
_TLS_PORT, _PLAIN_PORT = 8883, 1883
_RECONNECT_FIRST_S, _RECONNECT_MAX_S = 1.0, 60.0
# Reason codes of a PUBACK (MQTT 5.0, table 3-4).
_NO_SUBSCRIBER = 0x10
_ABOUT_THE_BODY = (0x99,)  # payload format invalid
_FRAME_BYTES = 16  # of a PUBLISH packet beside its topic and payload
_LAST_WORD_S = 1.0
_SHORT_S = 30.0  # a broker gives a name to the newest client, and two with one name end each other
_STATE = ("key", "stage", "name", "priority", "text", "occurred_at", "simulated")


class MqttReceiver(Receiver):
    """One MQTT 5 broker. Write one [[mqtt]] table for each."""

    example: ClassVar[dict[str, Any]] = {"name": "ward-bus", "host": "broker.example.org"}
    reaches = "subscribers"
    secrets: ClassVar[tuple[str, ...]] = ("password",)
    files: ClassVar[tuple[str, ...]] = ("ca_file",)

    host: str = Field(description="Machine of the broker.")
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port of the broker. Without it: 8883, or 1883 when tls is off.",
    )
    tls: bool = Field(default=True, description="Encrypt. May be off on this machine, or with allow_plain.")
    ca_file: str | None = Field(
        default=None, description="File with the certificates to trust, in place of those of the system."
    )
    allow_plain: bool = Field(
        default=False,
        description="Allow tls = false to another machine. Everyone on the network can then read what is sent.",
    )
    username: str | None = Field(default=None, description="User name at the broker.")
    password_file: str | None = Field(
        default=None, description="File with the password: its first line, readable by you alone."
    )
    password_env: VariableName | None = Field(
        default=None, description="Environment variable with the password."
    )
    client_id: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="Name of this laptop at the broker; two laptops may not have the same."
        " Without it: made from the names of this computer and this receiver.",
    )  # fmt: skip
    topic: str = Field(
        default="cytowatch", pattern=r"^[^#+\x00/][^#+\x00]{0,99}$", description="First part of every topic."
    )
    discovery_prefix: str | None = Field(
        default=None, pattern=r"^[^#+\x00/][^#+\x00]{0,99}$",
        description="Tell Home Assistant of each wearable below this topic, usually homeassistant.",
    )  # fmt: skip
    allow_no_subscriber: bool = Field(
        default=False,
        description="Count an event as handed over although nobody subscribes to its topic.",
    )
    accept_replies: bool = Field(
        default=False,
        description="Let whoever may publish to TOPIC/accept accept an alarm there with the code of its message.",
    )

    @field_validator("host")
    @classmethod
    def _can_work(cls, host: str) -> str:
        if any(character in host for character in "/?#@"):
            raise ValueError("the name of a machine, without a scheme, port or path")
        check_address(f"mqtt://[{host}]" if ":" in host else f"mqtt://{host}", ("mqtt",))
        return host

    @model_validator(mode="after")
    def _is_encrypted(self) -> Self:
        if not self.tls and self.host not in _LOOPBACK_HOSTS and not self.allow_plain:
            raise ValueError("tls = true (or allow_plain = true, when the network itself is protected)")
        if self.has_secret("password") and self.username is None:
            raise ValueError("username together with password_file or password_env")
        return self

    def needs(self, name: str) -> bool:
        return self.username is not None

    def problems(self) -> Iterator[ConfigError]:
        yield from super().problems()
        try:
            self.context()
        except ConfigError as error:
            yield error

    def context(self) -> ssl.SSLContext | None:
        """How to encrypt, None: not at all. ConfigError when the file of certificates cannot serve."""
        return tls_context(self.title, self.ca_file, None) if self.tls else None

    def endpoint(self) -> Endpoint:
        return Endpoint(self.host, self.open_port, self.context(), None)

    @property
    def open_port(self) -> int:
        """The port, as it is set or usual."""
        return self.port or (_TLS_PORT if self.tls else _PLAIN_PORT)

    @property
    def own_client_id(self) -> str:
        """The name of this laptop at the broker."""
        return self.client_id or _client_id(socket.gethostname(), self.name)

    def for_test(self) -> Self:
        """Under a name of its own: the broker ends the connection of the agent when another client has its name."""
        return self.model_copy(update={"client_id": f"{self.own_client_id[:59]}-test"})

    def proves(self) -> str:
        return "taken by the broker for whoever subscribes; nothing proves that a person saw it"

    def shown_address(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.open_port}, below {self.topic}/"

    def forwarder(self, utc_ms: Callable[[], int]) -> "Mqtt":
        has_password = self.username is not None
        password = self.read_secret("password", shortest_chars=1).decode() if has_password else None
        return Mqtt(self, password, self.context())


class Mqtt:
    """One broker. It connects when the first event is sent, and `run` keeps the connection while nothing is sent."""

    def __init__(self, receiver: MqttReceiver, password: str | None, tls: ssl.SSLContext | None) -> None:
        self.name = receiver.name
        self.accept_simulated = receiver.accept_simulated
        self._receiver = receiver
        self._password = password
        self._tls = tls
        self._client_id = receiver.own_client_id
        self._status_topic = f"{receiver.topic}/laptop/{self._client_id}/status"
        self._opening = asyncio.Lock()
        self._open: tuple[Connection, Limits] | None = None
        self._replies: Replies | None = None
        self._announced: set[str] = set()  # wearables that Home Assistant was told of in this connection

    async def send(self, delivery: Delivery) -> Outcome:
        """Publish once within timeout_s in all; only the broker's reason code says that it was taken."""
        try:
            async with asyncio.timeout(self._receiver.timeout_s):
                try:
                    connection, limits = await self._connect()
                except NotConnectedError as error:
                    return RetryAfter(str(error), was_reached=error.was_reached)
                return await self._publish(connection, limits, delivery)
        except TimeoutError:
            self._drop("no answer")
            return RetryAfter(f"no answer within {self._receiver.timeout_s:g} s")
        except NotConnectedError as error:
            return RetryAfter(str(error))

    def take_replies(self, on_reply: OnReply) -> None:
        """As the configuration says, `on_reply` has what comes to TOPIC/accept, while `run` runs."""
        if self._receiver.accept_replies:
            how, now_s = f"MQTT receiver {self.name}", asyncio.get_running_loop().time
            self._replies = Replies(self.name, how, on_reply, self._answer, now_s)

    async def run(self) -> None:
        """Keep the connection, so that the broker tells others when this laptop dies. Until cancelled."""
        async with asyncio.TaskGroup() as group:
            if self._replies is not None:
                group.create_task(self._replies.run())
            await self._keep_connected()

    async def _keep_connected(self) -> None:
        pause_s = _RECONNECT_FIRST_S
        while True:
            why = ""
            try:
                connection, _ = await self._connect()
                since_s = asyncio.get_running_loop().time()
                why = await asyncio.shield(connection.closed)
                if asyncio.get_running_loop().time() - since_s > _SHORT_S:
                    pause_s = _RECONNECT_FIRST_S
                else:
                    why += f"; another laptop may have the client_id {self._client_id}"
            except NotConnectedError as error:
                why = str(error)
            _LOG.warning("target %s: %s", self.name, why)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _RECONNECT_MAX_S)

    async def close(self) -> None:
        """Say offline, and end the connection in good order."""
        if self._open is None:
            return
        connection, _ = self._open
        with contextlib.suppress(NotConnectedError, TimeoutError):
            await connection.publish(self._status_topic, b"offline", retain=True, timeout_s=_LAST_WORD_S)
        self._drop("closed here")

    async def _connect(self) -> "tuple[Connection, Limits]":
        # paho takes 25 ms to import, and most laptops have no broker
        from host_agent.forward import mqtt_connection  # noqa: PLC0415

        async with self._opening:
            if self._open is not None and not self._open[0].closed.done():
                return self._open
            self._open = None
            one, timeout_s = self._receiver, self._receiver.timeout_s
            login = mqtt_connection.Login(
                one.host, one.open_port, self._client_id, one.username, self._password, self._tls
            )
            connection = mqtt_connection.Connection()
            try:
                limits = await connection.open(
                    login, mqtt_connection.Will(self._status_topic, b"offline"), timeout_s
                )
                if limits.qos < 1:
                    raise NotConnectedError(
                        "the broker takes no QoS 1, so an event could be lost without a word",
                        was_reached=True,
                    )
                await connection.publish(self._status_topic, b"online", retain=True, timeout_s=timeout_s)
                await self._subscribe(connection)
            except BaseException:
                connection.close()
                raise
            self._announced.clear()
            self._open = connection, limits
            return self._open

    async def _subscribe(self, connection: "Connection") -> None:
        if self._replies is None:
            return
        topic = f"{self._receiver.topic}/accept"
        reason = await connection.subscribe(topic, self._replies.put, self._receiver.timeout_s)
        if reason.is_failure:  # events are delivered all the same
            _LOG.warning(
                "target %s: the broker refuses %s, so nobody can accept there: %s", self.name, topic, reason
            )

    async def _answer(self, body: bytes) -> None:
        timeout_s = self._receiver.timeout_s
        async with asyncio.timeout(timeout_s):
            connection, _ = await self._connect()
            topic = f"{self._receiver.topic}/accept/answer"
            reason = await connection.publish(topic, body, retain=False, timeout_s=timeout_s)
        if reason.is_failure:
            raise NotConnectedError(f"the broker refuses {topic}: {reason}", was_reached=True)

    def _drop(self, why: str) -> None:
        if self._open is not None:
            self._open[0].close(why)
            self._open = None

    async def _publish(self, connection: "Connection", limits: "Limits", delivery: Delivery) -> Outcome:
        event = json.loads(delivery.body)
        device = (event.get("device") or {}).get("id") or "agent"
        topic = f"{self._receiver.topic}/{device}/event"
        length = len(delivery.body) + len(topic) + _FRAME_BYTES
        if limits.packet_bytes is not None and length > limits.packet_bytes:
            return Rejected(
                f"the event has {length} bytes, and the broker takes {limits.packet_bytes} at most"
            )
        timeout_s = self._receiver.timeout_s
        reason = await connection.publish(topic, delivery.body, retain=False, timeout_s=timeout_s)
        if reason.value in _ABOUT_THE_BODY:
            return Rejected(f"the broker refuses this event: {reason}")
        if reason.is_failure:
            return RetryAfter(f"the broker refuses the topic {topic}: {reason}")
        if reason.value == _NO_SUBSCRIBER and not self._receiver.allow_no_subscriber:
            return RetryAfter(f"the broker took it, but nobody subscribes to {topic}")
        untold = []
        if device != "agent":
            for about, payload in self._retained(device, event):
                answer = await connection.publish(about, payload, retain=True, timeout_s=timeout_s)
                if answer.is_failure:
                    untold.append(f"{about} refused: {answer}")
            self._announced.add(device)
        return Delivered("; ".join(["taken by the broker", *untold]))

    def _retained(self, device: str, event: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
        """(topic, payload) of what the broker shall keep about this wearable."""
        prefix, topic = self._receiver.discovery_prefix, self._receiver.topic
        if prefix is not None and device not in self._announced:
            name = (event.get("device") or {}).get("name") or device
            said = discovery(device, name, topic, self._status_topic)
            yield f"{prefix}/device/cytowatch-{device}/config", _json(said)
        if event.get("stage") != "test":
            yield f"{topic}/{device}/state", _json({key: event.get(key) for key in _STATE})


def _client_id(computer: str, receiver: str) -> str:
    """Another for each laptop, the same after each start: the broker then ends what was left of the last run."""
    return f"cytowatch-{_UNNAMED.sub('-', computer.lower())[:24].strip('-')}-{receiver}"


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
