"""The `bluetooth` module of the virtual chip, as NimBLE (esp32) or stock BTstack (Pico 2 W) shows itself to Python.

The attribute values and every rule of the API live here, in the interpreter that runs the firmware; the air is another
process (tools/ble_air; codes.py there has the numbers), reached by radio_wire.py.
"""

import errno
import json
import os
import random
import struct
from binascii import hexlify, unhexlify

import radio_wire
from ble_uuid import UUID

FLAG_READ = 0x02
FLAG_WRITE_NO_RESPONSE = 0x04
FLAG_WRITE = 0x08
FLAG_NOTIFY = 0x10
FLAG_INDICATE = 0x20

_EBUSY = 16  # which the errno module of a board does not have
_DEFAULT_LENGTH = 20  # of an attribute
_IN_FLIGHT = 12  # notifications before OSError(ENOMEM), as when the stack's buffers are used up
_ADVERTISING_MAX = 31
_MTU_MIN, _MTU_MAX = 23, 527
_TABLE_BYTES = 512  # BTstack's attribute table
_TABLE_BASE = 64  # GAP and GATT services and the end mark
_ENTRY = 6  # size, flags, handle; then the UUID, then the value
_SECURITY = ("bond", "mitm", "le_secure", "io")
(_ACTIVE, _INACTIVE, _CONFIG, _REGISTER, _ADVERTISE, _ADVERTISE_STOP, _NOTIFY, _INDICATE, _UPDATE, _DISCONNECT,
 _PAIR, _PASSKEY) = range(1, 13)  # fmt: skip
_CONNECTED, _DISCONNECTED, _WRITTEN, _READ, _INDICATED, _MTU = range(20, 26)
_ENCRYPTED, _GET_SECRET, _SET_SECRET, _SENT, _UPDATED = range(27, 32)
_Q = {_CONNECTED: 1, _DISCONNECTED: 2}

profile = "nimble"
air = ""
address = ""


class _Attribute:
    def __init__(self):
        self.value = b""
        self.room = _DEFAULT_LENGTH
        self.appends = False


class _BLE(radio_wire.Wire):
    def __init__(self):
        super().__init__()
        self._handler = None
        self._connections = set()
        self._table = {}
        self._in_flight = 0
        self._advertising = None  # the frame to send again, or None
        self._data = [b"", b""]
        name = b"MPY NIMBLE" if profile == "nimble" else b"MPY BTSTACK"
        self._config = {"gap_name": name, "mtu": 256, "rxbuf": 0}
        self._address = address
        if profile == "nimble":
            self._config.update({"bond": True, "mitm": False, "le_secure": False, "io": 3})

    def _irq(self, event, data):
        return self._handler(event, data) if self._handler else None

    def _gone(self):
        """The air ended: every connection with it."""
        for connection in list(self._connections):
            self._connections.discard(connection)
            self._irq(2, (connection, 0, memoryview(bytes(6))))

    def _event(self, operation, number, body):
        answer = b"\0"
        if operation in _Q:
            connection, kind = struct.unpack_from("<HB", body)
            if operation == _CONNECTED:
                self._connections.add(connection)
                if profile == "nimble":  # BTstack goes on by itself when the connection has ended
                    self._advertising = None
            else:
                self._connections.discard(connection)
            self._irq(_Q[operation], (connection, kind, memoryview(body)[3:]))
            if operation == _DISCONNECTED and profile == "btstack" and self._advertising:
                self._later_advertise()
        elif operation == _WRITTEN:
            connection, handle = struct.unpack_from("<HH", body)
            attribute = self._table[handle]
            value = body[4:]
            attribute.value = ((attribute.value + value) if attribute.appends else value)[: attribute.room]
            self._irq(3, (connection, handle))
        elif operation == _READ:
            connection, handle = struct.unpack_from("<HH", body)
            refused = self._irq(4, (connection, handle)) or 0
            answer = bytes([refused]) + (b"" if refused else self._table[handle].value)
        elif operation == _INDICATED:
            self._irq(20, struct.unpack("<HHB", body))
        elif operation == _MTU:
            self._irq(21, struct.unpack("<HH", body))
        elif operation == _UPDATED:
            self._irq(27, struct.unpack("<HHHHH", body))
        elif operation == _ENCRYPTED:
            connection, encrypted, authenticated, bonded, size = struct.unpack("<HBBBB", body)
            self._irq(28, (connection, bool(encrypted), bool(authenticated), bool(bonded), size))
        elif operation == _GET_SECRET:
            value = self._irq(29, (body[0], body[1], memoryview(body)[2:]))
            answer = b"\2" if value is None else b"\0" + bytes(value)
        elif operation == _SET_SECRET:
            key = memoryview(body)[2 : 2 + body[1]]
            value = memoryview(body)[2 + body[1] :]
            kept = self._irq(30, (body[0], key, value if len(value) else None))
            answer = b"\0" if kept else b"\5"
        elif operation == _PASSKEY:
            self._irq(31, struct.unpack("<HBI", body))
        elif operation == _SENT:
            self._in_flight = max(0, self._in_flight - body[0])
        if number:
            self._send(0, number, answer)

    # -- the module's API -------------------------------------------------------------------------------------------

    def irq(self, handler):
        if handler is not None and not callable(handler):
            raise ValueError("invalid handler")
        self._handler = handler

    def active(self, on=None):
        if on is None or bool(on) == (self._socket is not None):
            return self._socket is not None
        if not on:
            self._ask(_INACTIVE)
            s, self._socket = self._socket, None
            s.close()
            return False
        self._open(air)
        self._table = {}
        self._connections = set()
        self._in_flight = 0
        self._advertising = None
        irk = None
        if profile == "nimble":
            self._irq(29, (2, 0, None))
            irk = self._irq(29, (10, 0, memoryview(b"irk")))
            if irk is None:
                irk = bytes(random.getrandbits(8) for _ in range(16))
                self._irq(30, (10, memoryview(b"irk"), memoryview(irk)))
        settings = self._plain()
        settings["irk"] = hexlify(bytes(irk or bytes(16))).decode()
        self._ask(_ACTIVE, json.dumps(settings).encode())
        return True

    def _need(self):
        if self._socket is None:
            raise OSError(errno.ENODEV)

    def _plain(self):
        plain = {"bond": False, "mitm": False, "le_secure": False, "io": 3}
        plain.update(self._config)
        plain["gap_name"] = ""
        plain["address"] = self._address
        return plain

    def config(self, *names, **values):
        if not values:
            if len(names) != 1:
                raise TypeError("must query one param")
            if names[0] == "mac":
                self._need()
                return (1, unhexlify(self._address.replace(":", "")))
            if names[0] in ("gap_name", "mtu"):
                return self._config[names[0]]
            raise ValueError("unknown config param")
        if "addr_mode" in values:
            self._take_address(values.pop("addr_mode"))
        for name in values:
            if name not in self._config:
                raise ValueError("unknown config param")
        mtu = values.get("mtu", _MTU_MIN)
        if not _MTU_MIN <= mtu <= _MTU_MAX:
            raise OSError(errno.EINVAL)
        for name, value in values.items():
            self._config[name] = bytes(value, "utf-8") if isinstance(value, str) else value
        if self._socket is not None:
            self._ask(_CONFIG, json.dumps(self._plain()).encode())
        return None

    def _take_address(self, mode):
        if mode == 0:
            self._address = address
            return
        kind = {1: 0xC0, 3: 0x00 if profile == "nimble" else None}.get(
            mode
        )  # the two highest bits tell the kind
        if kind is None or self._advertising:  # resolvable ones cannot be asked for afterwards
            raise OSError(errno.EINVAL)
        fresh = list(os.urandom(6))
        fresh[0] = fresh[0] & 0x3F | kind
        self._address = ":".join("%02X" % byte for byte in fresh)

    def gap_advertise(self, interval_us, adv_data=None, *, resp_data=None, connectable=True):
        self._need()
        if interval_us is None:
            self._advertising = None
            self._ask(_ADVERTISE_STOP)
            return
        for i, data in enumerate((adv_data, resp_data)):
            if data is not None:
                if len(data) > _ADVERTISING_MAX:
                    raise OSError(-18 if profile == "nimble" else errno.EINVAL)
                self._data[i] = bytes(data)
        head = struct.pack("<IBB", interval_us, 1 if connectable else 0, len(self._data[0]))
        self._advertising = head + self._data[0] + self._data[1]
        if connectable and profile == "nimble" and len(self._connections) >= 4:
            self._advertising = None
            raise OSError(errno.ENOMEM)
        if connectable and profile == "btstack" and self._connections:
            return  # silently, until the one connection ends
        self._ask(_ADVERTISE, self._advertising)

    def _later_advertise(self):
        """From an interrupt: nobody waits for the answer, which is thrown away."""
        self._send(_ADVERTISE, 255, self._advertising)

    def gatts_register_services(self, services):
        self._need()
        if profile == "nimble" and self._advertising:
            raise OSError(_EBUSY)
        tree = []
        used = _TABLE_BASE
        for uuid, characteristics in services:
            if not isinstance(uuid, UUID):
                raise ValueError("invalid service UUID")
            used += _ENTRY + 2 + len(bytes(uuid))
            rows = []
            for row in characteristics:
                size, flags = len(bytes(row[0])), row[1]
                used += _ENTRY + 2 + 3 + size + _ENTRY + size
                if flags & (FLAG_NOTIFY | FLAG_INDICATE):
                    used += _ENTRY + 2 + 2
                descriptors = [
                    (hexlify(bytes(d[0])).decode(), d[1]) for d in (row[2] if len(row) > 2 else ())
                ]
                if profile == "btstack" and used > _TABLE_BYTES:
                    flags = None  # nobody is told
                rows.append((hexlify(bytes(row[0])).decode(), flags, descriptors))
            tree.append((hexlify(bytes(uuid)).decode(), rows))
        handles = json.loads(self._ask(_REGISTER, json.dumps(tree).encode()))
        self._table = {handle: _Attribute() for row in handles for handle in row}
        return tuple(tuple(row) for row in handles)

    def _attribute(self, handle):
        self._need()
        if handle not in self._table:
            raise OSError(errno.EINVAL)
        return self._table[handle]

    def gatts_read(self, handle):
        if handle not in self._table:
            return b""
        attribute = self._table[handle]
        value = attribute.value
        if attribute.appends:
            attribute.value = b""
        return value

    def gatts_write(self, handle, data, send_update=False):
        attribute = self._attribute(handle)
        attribute.value = bytes(data)
        attribute.room = max(attribute.room, len(attribute.value))
        if send_update and self._connections:
            self._push(_UPDATE, 0, handle, attribute.value)
        return len(attribute.value)

    def gatts_set_buffer(self, handle, length, append=False):
        attribute = self._attribute(handle)
        attribute.room, attribute.appends, attribute.value = length, append, b""

    def _push(self, operation, connection, handle, data):
        if self._in_flight >= _IN_FLIGHT:
            raise OSError(errno.ENOMEM)
        self._in_flight += 1
        self._send(operation, 0, struct.pack("<HH", connection, handle) + data)

    def _push_to(self, operation, connection, handle, data):
        self._need()
        if connection not in self._connections:
            raise OSError(errno.ENOTCONN)
        attribute = self._attribute(handle)
        if data is None:
            self._irq(4, (0xFFFF, handle))
            data = attribute.value
        self._push(operation, connection, handle, bytes(data))

    def gatts_notify(self, connection, handle, data=None):
        self._push_to(_NOTIFY, connection, handle, data)

    def gatts_indicate(self, connection, handle, data=None):
        self._push_to(_INDICATE, connection, handle, data)

    def gap_disconnect(self, connection):
        self._need()
        if connection not in self._connections:
            return False
        if self._busy:  # in an interrupt: the answer is thrown away
            self._send(_DISCONNECT, 255, struct.pack("<H", connection))
        else:
            self._ask(_DISCONNECT, struct.pack("<H", connection))
        return True


class _Pairing(_BLE):
    """What a port with pairing has besides."""

    def gap_pair(self, connection):
        self._need()
        self._send(_PAIR, 255, struct.pack("<H", connection))

    def gap_passkey(self, connection, action, passkey):
        self._need()
        self._send(_PASSKEY, 255, struct.pack("<HBI", connection, action, passkey))


_ble = None


def BLE():
    """The one radio."""
    global _ble
    if _ble is None:
        _ble = _Pairing() if profile == "nimble" else _BLE()
    return _ble
