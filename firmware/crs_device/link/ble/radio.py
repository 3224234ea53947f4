"""The stack behind `bluetooth`: its interrupts remembered, its connections, its answers about secrets and passkeys.

The handler runs as an interrupt of the main program: it keeps what came and answers what cannot wait. Everything else
is done by `BleLink.turn`.

NimBLE calls for secrets with its own lock held and waits for the interpreter; a radio call of the main program holds
the interpreter and waits for that lock. `sleep_ms(0)` before a call lets a waiting interrupt through first: the moment
in which both wait gets short, it does not go away.
"""

import time

from crs_core.compat import const

_CONNECTED = const(1)
_DISCONNECTED = const(2)
_WRITTEN = const(3)
_READ_REQUEST = const(4)
_MTU = const(21)
_ENCRYPTION = const(28)
_GET_SECRET = const(29)
_SET_SECRET = const(30)
_PASSKEY = const(31)
_SHOW_PASSKEY = const(3)
_IO_DISPLAY = const(0)
_MTU_WANTED = const(247)  # an ATT value of 244 bytes fills one link-layer packet of 251
_MTU_MIN = const(23)
_ATT_HEAD = const(3)
FRAGMENT_MAX = const(244)
_FRAGMENT_MIN = const(20)
_INBOX_MAX = const(16)  # fragments: the largest message to the wearable in pieces of 20 bytes, and some
_KEYS_MS = const(3000)
_READ_REFUSED = const(0x80)  # ATT application error: not known now, or not for this central


class Connection:
    """One central: `is_secure` once the stack reported its link encrypted and authenticated."""

    def __init__(self, number: int, address: bytes, since_ms: int) -> None:
        self.number = number
        self.address = address
        self.since_ms = since_ms
        self.mtu = _MTU_MIN
        self.is_secure = False
        self.is_proven = False  # it was secure or in session
        self.was_judged = self.is_slow = False  # of BleLink: whether this stranger gets more time
        self.is_gone = False
        self.must_go = False  # it paired without the passkey or outside the window, or stayed too long
        self.ask_ms = 0  # when the stack is asked (again) to end it; 0: it was not yet
        self.inbox: list[bytes] = []
        self.server = None  # the LinkServer, from its first write on
        self.carrier = None

    @property
    def room(self) -> int:
        """Bytes of one fragment."""
        return min(max(self.mtu - _ATT_HEAD, _FRAGMENT_MIN), FRAGMENT_MAX)


class Radio:
    """`clock.real_ms()` for times; `window` a PairingWindow, `bonds` Bonds. `passkey` is set by the owner.

    `can_pair` is found at run time: stock BTstack knows no bond settings and answers ValueError.
    """

    def __init__(self, bluetooth, bonds, window, clock) -> None:  # type: ignore[no-untyped-def]
        self.ble = bluetooth.BLE()
        self.bonds = bonds
        self.window = window
        self.passkey = -1  # none: nobody can pair
        self.connections: dict[int, Connection] = {}
        self.is_advertising = False
        self.fragments_dropped = 0
        self.pairing_refused = 0
        self.strangers_ended = 0  # connections without a proof
        self.errors = 0  # exceptions in the interrupt
        self.in_handle = self.time_handle = self.level_handle = -1
        self.is_level_known = False
        self.utc_ms = None  # type: ignore[var-annotated]  # a function, when the time of day is served
        self._clock = clock
        self._kept_until_ms = -1  # some stacks hand out the keys after they reported the link secure
        self._asked: dict[int, bool] = {}  # connection -> the passkey was given, its pairing is not over
        self._bound_irq = self._guarded_irq
        self.listen()
        self.ble.active(True)
        self.can_pair = self._configure()

    def listen(self) -> None:
        """Take the interrupts; again, because a stack drops a handler that ever raised."""
        self.ble.irq(self._bound_irq)

    def _configure(self) -> bool:
        self.ble.config(mtu=_MTU_WANTED)
        try:
            self.ble.config(bond=True, mitm=True, le_secure=True, io=_IO_DISPLAY)
        except (ValueError, OSError):
            return False
        return True

    def is_pairing(self, number: int) -> bool:
        """Whether this central was given the passkey and has not typed it yet."""
        return self._asked.get(number, False)

    def notify(self, number: int, handle: int, data: bytes) -> bool:
        """False when the stack has no buffer now (ENOMEM) or the connection is gone: nothing was sent."""
        time.sleep_ms(0)
        try:
            self.ble.gatts_notify(number, handle, data)
        except (OSError, MemoryError):
            return False
        return True

    def indicate(self, number: int, handle: int, data: bytes) -> bool:
        """As `notify`, but the central confirms."""
        time.sleep_ms(0)
        try:
            self.ble.gatts_indicate(number, handle, data)
        except (OSError, MemoryError):
            return False
        return True

    def disconnect(self, number: int) -> None:
        """End a connection. An interrupt reports its end, unless the stack had forgotten it."""
        try:
            if self.ble.gap_disconnect(number):
                return
        except OSError:
            pass
        self._forget(number)

    def advertise(self, interval_us: int, data: bytes, response: bytes) -> bool:
        """Start advertising, or start it again; False when the stack refuses (no free connection)."""
        self.is_advertising = True  # first, because a central may connect during the call
        time.sleep_ms(0)
        try:
            self.ble.gap_advertise(interval_us, data, resp_data=response)
        except OSError:
            self.is_advertising = False
            return False
        return True

    def _guarded_irq(self, event: int, data):  # type: ignore[no-untyped-def]
        try:
            return self._irq(event, data)
        except Exception:  # raised into the stack, it would disable the radio for good
            self.errors += 1
            return None

    def _irq(self, event: int, data):  # type: ignore[no-untyped-def]
        if event == _WRITTEN:
            connection = self.connections.get(data[0])
            if connection is not None and data[1] == self.in_handle:
                if len(connection.inbox) < _INBOX_MAX:
                    connection.inbox.append(self.ble.gatts_read(data[1]))
                else:
                    self.fragments_dropped += 1
        elif event == _CONNECTED:
            self.is_advertising = False  # the stack stopped it
            self._forget(data[0])
            self.connections[data[0]] = Connection(data[0], bytes(data[2]), self._clock.real_ms())
        elif event == _DISCONNECTED:
            self._forget(data[0])
        elif event == _MTU:
            if data[0] in self.connections:
                self.connections[data[0]].mtu = data[1]
        elif event == _ENCRYPTION:
            self._encryption(data[0], bool(data[1]), bool(data[2]))
        elif event == _PASSKEY:
            self._give_passkey(data[0], data[1])
        elif event == _GET_SECRET:
            return self.bonds.get(data[0], data[1], None if data[2] is None else bytes(data[2]))
        elif event == _SET_SECRET:
            return self._keep_secret(data[0], bytes(data[1]), None if data[2] is None else bytes(data[2]))
        elif event == _READ_REQUEST:
            return self._before_read(data[0], data[1])
        return None

    def _forget(self, number: int) -> None:
        connection = self.connections.pop(number, None)
        if connection is not None:
            connection.is_gone = True
            if not connection.is_proven:
                self.strangers_ended += 1
        if self._asked.pop(number, False):
            self.window.failed()  # it left before its pairing was complete
        self.bonds.restore()

    def _encryption(self, number: int, encrypted: bool, authenticated: bool) -> None:
        connection = self.connections.get(number)
        asked = self._asked.pop(number, False)
        if connection is None:
            return
        connection.is_secure = encrypted and authenticated
        if connection.is_secure:
            self.bonds.settle()
            if asked:
                self._kept_until_ms = self._clock.real_ms() + _KEYS_MS
                self.window.close()  # whoever recorded this pairing knows the passkey now
            return
        self.bonds.restore()
        if asked:
            self.window.failed()
        # Encrypted without the passkey is Just Works: nobody stood at the wearable.
        connection.must_go = True
        self.pairing_refused += 1

    def _give_passkey(self, number: int, action: int) -> None:
        connection = self.connections.get(number)
        if connection is None:
            return
        is_closed = self.passkey < 0 or not self.window.is_open(self._clock.real_ms())
        # one at a time: a passkey is waited for longer than a HELLO
        if action != _SHOW_PASSKEY or is_closed or [other for other in self._asked if other != number]:
            connection.must_go = True
            self.pairing_refused += 1
            return
        self._asked[number] = True
        try:
            self.ble.gap_passkey(number, action, self.passkey)
        except OSError:
            connection.must_go = True

    def refuse_pairing(self) -> None:
        """Close the window and disconnect everybody who is pairing or was paired."""
        self.window.close()
        for connection in self.connections.values():
            if connection.is_secure or self.is_pairing(connection.number):
                connection.is_secure = False
                connection.must_go = True

    def _keep_secret(self, kind: int, key: bytes, value: bytes | None) -> bool:
        """Keep the secrets of a pairing with the passkey; of others report that they were kept, and do not.

        A "no" would make NimBLE throw out one bond after the other to make room.
        """
        may_keep = any(self._asked.values()) or self._clock.real_ms() < self._kept_until_ms
        if value is not None and kind in (1, 2) and not may_keep:
            self.bonds.refused += 1
            return True
        return self.bonds.put(kind, key, value)  # type: ignore[no-any-return]

    def _before_read(self, number: int, handle: int) -> int:
        if handle == self.level_handle:
            connection = self.connections.get(number)
            may_read = connection is not None and connection.is_secure and self.is_level_known
            return 0 if may_read else _READ_REFUSED
        if handle != self.time_handle or self.utc_ms is None:
            return 0
        now = self.utc_ms()
        if now is None:
            return _READ_REFUSED
        # loaded when somebody first asks for the time, to save heap
        from crs_device.link.ble.health_values import current_time

        self.ble.gatts_write(handle, current_time(now))
        return 0
