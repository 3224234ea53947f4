"""A host on a wearable's port that speaks the session and nothing above it, and what the wearable journaled, decoded.

host = wearable.connect()
host.ask(message.Ping(7), message.Pong)
events, readings = pull(host)
"""

import os
import select
import termios
import tty
from collections.abc import Callable
from typing import Any

from crs_core import code_texts, codes
from crs_core.journal import block_layout, block_reader, record_reader
from crs_core.wire import message as wire
from crs_core.wire.parts import split_parts
from crs_core.wire.session import Closed, Opened, Received, Refused, Send, Text
from crs_core.wire.session_host import HostSession

from tools.rig.image import CUSTODIAN, DEVICE_ID
from tools.rig.waiting import conductor, now_s, until

_HEARTBEAT = 0xBEA7BEA7


class Host:
    """One end of the port. `messages` holds what came and was not taken; `text` what stood between frames.

    `refused` and `closed` hold the reasons of sessions that were refused or ended.
    """

    def __init__(self, port: str, key: Any = CUSTODIAN) -> None:
        self._fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._fd, termios.TCSANOW)
        self._time = conductor()
        self._io: Any = os  # reads and writes
        if self._time:
            self._io = self._time.ports
            self._io.opened(self._fd, port)
        self.session = HostSession(key, os.urandom, DEVICE_ID)
        self.messages: list[Any] = []
        self.refused: list[int] = []
        self.closed: list[int] = []
        self.text = b""
        self.heartbeat_s = 0.5  # as a host that runs as fast as the wearable's clock; 0 says nothing
        self._beat_s = 0.0

    def close(self) -> None:
        """Close the port, as a host that died would."""
        if self._fd >= 0:
            if self._time:
                self._io.closed(self._fd)
            os.close(self._fd)
            self._fd = -1

    def write(self, data: bytes) -> None:
        """Put raw bytes on the line."""
        deadline = now_s() + 5
        while data:
            assert now_s() < deadline, "the port takes nothing"
            _, is_ready, _ = select.select([], [self._fd], [], 0 if self._time else 0.5)
            if is_ready:
                data = data[self._io.write(self._fd, data) :]
            elif self._time:
                self._time.pass_s(0.01)

    def pump(self, wait_s: float = 0.0) -> bool:
        """Take what has come, and give a heartbeat when one is due; True when anything came."""
        if self.heartbeat_s and self.session.is_open and now_s() - self._beat_s >= self.heartbeat_s:
            self._beat_s = now_s()
            self.send(wire.Ping(_HEARTBEAT))
        if not self._is_ready(wait_s):
            return False
        try:
            data = self._io.read(self._fd, 65536)
        except BlockingIOError:
            return False
        for event in self.session.receive(data):
            if isinstance(event, Send):
                self.write(event.data)
            elif isinstance(event, Received):
                if event.message != wire.Pong(_HEARTBEAT):
                    self.messages.append(event.message)
            elif isinstance(event, Refused):
                self.refused.append(event.reason)
            elif isinstance(event, Closed):
                self.closed.append(event.reason)
            elif isinstance(event, Text):
                self.text += event.data
            else:
                assert isinstance(event, Opened)
        return True

    def _is_ready(self, wait_s: float) -> bool:
        """Wait until there is something to read."""
        if self._time:
            if wait_s and self._fd not in self._io.late():
                self._time.pass_until_late(wait_s, self._fd)
            wait_s = 0
        return bool(select.select([self._fd], [], [], wait_s)[0])

    def pump_for(self, seconds: float, each: Callable[[], object] = lambda: None) -> None:
        """Take what comes for so long; `each` is called before each look at the port."""
        deadline = now_s() + seconds
        while now_s() < deadline:
            each()
            self.pump(0.05)

    def wait(self, condition: Callable[[], Any], timeout_s: float = 10, what: str = "a condition") -> Any:
        """Pump until `condition()` is true; its value."""
        return until(condition, timeout_s, what, lambda: self.pump(0.02))

    def open(self, timeout_s: float = 10) -> None:
        """Say HELLO until a session is open (the board may still be starting)."""
        deadline = now_s() + timeout_s
        self.session.link_lost()
        while self.session.state != "open":
            assert now_s() < deadline, f"no session: {self.refused} {self.text!r}"
            self.write(self.session.start())
            again = now_s() + 0.7
            while now_s() < again and self.session.state != "open":
                self.pump(0.05)

    def open_again(self) -> None:
        """The wearable says BYE because its journal was replaced; begin anew."""
        self.wait(lambda: self.closed, 15, "BYE")
        assert self.closed == [wire.BYE_JOURNAL_CHANGED]
        self.closed.clear()
        self.open()

    def send(self, message: Any) -> None:
        """Seal and send one message."""
        self.write(self.session.seal(message))

    def take(self, kind: Any, timeout_s: float = 10) -> Any:
        """Wait for the next message of a type, and remove it from `messages`."""

        def found() -> Any:
            for message in self.messages:
                if isinstance(message, kind):
                    self.messages.remove(message)
                    return (message,)
            return None

        return self.wait(found, timeout_s, str(kind))[0]

    def ask(self, message: Any, answer: Any = wire.Result, timeout_s: float = 10) -> Any:
        """Send one request and wait for its answer."""
        self.send(message)
        return self.take(answer, timeout_s)

    def status(self) -> wire.StatusIs:
        """What the wearable says of itself now."""
        return self.ask(wire.StatusAsk(), wire.StatusIs)  # type: ignore[no-any-return]

    def counted(self, counter: int) -> int:
        """A health counter."""
        return dict(self.status().counters).get(counter, 0)

    def settings(self) -> wire.SettingsIs:
        """The settings in use."""
        return self.ask(wire.Settings(wire.SETTINGS_GET, 0, 1, b""), wire.SettingsIs)  # type: ignore[no-any-return]

    def change_settings(self, text: str) -> wire.Result:
        """Send settings in parts that fit one message each; the last answer, or the first refusal."""
        parts = split_parts(text.encode(), 60)
        for number, part in enumerate(parts):
            result = self.ask(wire.Settings(wire.SETTINGS_SET, number, len(parts), part))
            if result.code != wire.RESULT_MORE_PARTS:
                break
        return result  # type: ignore[no-any-return]

    def keys(self) -> list[int]:
        """Ids of the keys that the wearable accepts."""
        return [key.key_id for key in self.ask(wire.Keys(wire.KEYS_LIST, 0), wire.KeysIs).keys]

    def see(
        self, kind: Any, wanted: Callable[[Any], Any] = lambda _: True, timeout_s: float = 20, what: str = ""
    ) -> Any:
        """The first message of a type that is `wanted`, of those that came or will come; it stays in `messages`."""
        return self.wait(
            lambda: next((m for m in self.messages if isinstance(m, kind) and wanted(m)), None),
            timeout_s, what or f"{kind.__name__} that is wanted",
        )  # fmt: skip

    def see_alarm(self, alarm: int, priority: int, timeout_s: float = 20) -> Any:
        """The doorbell that first tells this alarm at this priority."""
        name = f"{code_texts.alarm_name(alarm)} at priority {priority}"
        return self.see(wire.Alarm, lambda m: (alarm, priority) in m.alarms, timeout_s, name)

    def see_measured(self, timeout_s: float = 20) -> Any:
        """The first live values with a saturation and a temperature that counts."""
        return self.see(
            wire.Live,
            lambda m: m.spo2_tenths is not None and m.fever != codes.FEVER_UNKNOWN,
            timeout_s,
            "values",
        )


def pull(
    host: Host, want_events: int = 0, timeout_s: float = 10, first: int = 1
) -> tuple[list[Any], list[Any]]:
    """Read from `first` until caught up and `want_events` events are there; ((seq, Event)…, (seq, Reading)…)."""
    host.send(wire.ReadFrom(first, 64, 2048))
    events: dict[int, Any] = {}
    readings: dict[int, Any] = {}
    caught_up = False
    while not caught_up or len(events) < want_events:
        message = host.take((wire.Block, wire.CaughtUp), timeout_s)
        if isinstance(message, wire.CaughtUp):
            caught_up = True
            continue
        for piece in block_reader.split(message.data):
            header, rows = block_reader.decode(piece, host.session.peer.journal_id)
            assert header.flags == block_layout.FLAG_SIMULATED
            found = events if header.kind == block_layout.KIND_EVENTS else readings
            found |= dict(enumerate(rows or [], header.first_seq))
    return sorted(events.items()), sorted(readings.items())


def of_type(events: list[Any], kind: int) -> list[Any]:
    """Decoded payloads of one type, in order."""
    return [record_reader.decode(kind, event.payload) for _, event in events if event.type == kind]
