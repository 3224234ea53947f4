"""What `bluetooth` is to the firmware, as NimBLE's source says; a test is the stack by calling `handler`."""

from typing import Any

CONNECTED, DISCONNECTED, READ_REQUEST, ENCRYPTION, GET, SET, PASSKEY = 1, 2, 4, 28, 29, 30, 31


class NimbleStack:
    """`known` are the connections it can end; it says that they have ended when the test does (`end`)."""

    def __init__(self) -> None:
        self.handler: Any = None
        self.said: list[tuple[int, int]] = []  # (connection, passkey)
        self.known: set[int] = set()
        self.asked_to_end: list[int] = []
        self.values: dict[int, bytes] = {}
        self.notified: list[tuple[int, int, bytes]] = []
        self.is_out_of_memory = False
        self.fails = False
        self._handles = 0
        self.address_modes: list[int] = []
        self.advertised: list[tuple[int, bytes, bytes]] = []  # (interval, data, scan response)

    def irq(self, handler: Any) -> None:
        self.handler = handler

    def active(self, _on: bool) -> None:
        pass

    def config(self, *asked: str, **values: Any) -> Any:
        if "addr_mode" in values:
            self.address_modes.append(values["addr_mode"])
        return (1, bytes([0xC6, 0, 0, 0, 0, len(self.address_modes)])) if asked == ("mac",) else None

    def gap_advertise(self, interval_us: int | None, data: bytes = b"", *, resp_data: bytes = b"") -> None:
        if interval_us is not None:
            self.advertised.append((interval_us, data, resp_data))

    def gap_passkey(self, number: int, _action: int, passkey: int) -> None:
        if self.fails:
            raise OSError(19)
        self.said.append((number, passkey))

    def gap_disconnect(self, number: int) -> bool:
        self.asked_to_end.append(number)
        return number in self.known

    def gatts_register_services(self, services: Any) -> list[list[int]]:
        return [[self._next() for _ in rows] for _, rows in services]

    def gatts_set_buffer(self, *_: Any) -> None:
        pass

    def gatts_write(self, handle: int, value: bytes) -> None:
        self.values[handle] = bytes(value)

    def gatts_notify(self, number: int, handle: int, data: bytes) -> None:
        if self.is_out_of_memory:
            raise MemoryError
        self.notified.append((number, handle, bytes(data)))

    gatts_indicate = gatts_notify

    def gatts_read(self, _handle: int) -> bytes:
        raise MemoryError

    def _next(self) -> int:
        self._handles += 1
        return self._handles

    def connect(self, number: int, address: bytes = b"") -> None:
        """A central connects."""
        self.known.add(number)
        self.handler(CONNECTED, (number, 0, memoryview(address or b"addr%02d" % number)))

    def end(self, number: int) -> None:
        """A connection is over."""
        self.known.discard(number)
        self.handler(DISCONNECTED, (number, 0, memoryview(b"addr%02d" % number)))


class Bluetooth:
    """The module: one stack, and UUIDs that are bytes."""

    def __init__(self, stack: NimbleStack) -> None:
        self.BLE = lambda: stack

    @staticmethod
    def UUID(value: Any) -> bytes:  # noqa: N802 the module's own name
        return (
            bytes.fromhex(value.replace("-", "")) if isinstance(value, str) else value.to_bytes(2, "little")
        )


class Clock:
    """Real time that a test turns."""

    def __init__(self, now: int = 1000) -> None:
        self.now = now

    def real_ms(self) -> int:
        return self.now

    ms = real_ms
