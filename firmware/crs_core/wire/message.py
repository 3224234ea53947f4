"""The messages of a session: type u8, then the fields of the table below, little-endian.

One namedtuple per type; `encode(message)` -> plaintext, `decode(plaintext)` -> namedtuple. Types unknown here decode to
`Unknown(type, body)` and receivers skip them. Known types are exact: a missing or an extra byte is a RemoteError.
Times are ms; t_ms is since boot of the device, utc_ms since 1970. Values of LIVE that were not measured are None.

To the device: ReadFrom Ack Time Settings Context Bind AlarmAccept SelfTest Maintenance Ping Keys StatusAsk
  Pause NobodyReached
To the host: Block Gap Live Alarm StatusIs Pong Result SettingsIs CaughtUp TimeIs KeysIs SelfTestIs
Both ways: Bye
Settings, Context and Bind carry longer data in numbered parts (parts.py). Every request except ReadFrom, Ack and Bye is
answered: Settings get -> SettingsIs, Time -> TimeIs, SelfTest -> SelfTestIs, Ping -> Pong, Keys list -> KeysIs,
StatusAsk -> StatusIs, anything else and any failure -> Result.
"""

import struct
from collections import namedtuple

from crs_core.compat import const
from crs_core.errors import LocalError, RemoteError

MAX_MESSAGE_BYTES = const(4096)
WHO_MAX_BYTES = const(32)

SETTINGS_GET = const(0)
SETTINGS_SET = const(1)
BIND_START = const(1)
BIND_END = const(2)
BIND_END_OVERRIDE = const(3)
MAINTENANCE_ENTER = const(1)
MAINTENANCE_LEAVE = const(2)
PAUSE_BEGIN = const(1)
PAUSE_END = const(2)
KEYS_LIST = const(0)
KEYS_REVOKE = const(1)

BYE_DONE = const(0)
BYE_JOURNAL_CHANGED = const(1)  # BIND made a new journal: say HELLO again and read from 1
BYE_REPLACED = const(2)  # a newer session replaces it
BYE_REVOKED = const(3)  # the key of this session is gone
BYE_RELEASED = const(4)  # the port is handed to another program
BYE_SHUTDOWN = const(5)
BYE_MAINTENANCE = const(6)

RESULT_DONE = const(0)
RESULT_MORE_PARTS = const(1)  # this part was taken, send the next
RESULT_FORBIDDEN = const(2)  # the key's role may not ask this
RESULT_BAD_VALUE = const(3)  # detail names the field
RESULT_BUSY = const(4)
RESULT_FAILED = const(5)  # flash or hardware refused
RESULT_UNKNOWN_REQUEST = const(6)
RESULT_NOT_SYNCED = const(7)  # BIND end: records are left that no custodian committed

STATUS_SIMULATED = const(1)
STATUS_BOUND = const(2)
STATUS_JOURNAL_FAULT = const(4)
STATUS_MAINTENANCE = const(8)
STATUS_IN_PAUSE = const(16)

ReadFrom = namedtuple("ReadFrom", ("seq", "window", "max_bytes"))
Ack = namedtuple("Ack", ("committed_seq", "received"))
Time = namedtuple("Time", ("utc_ms", "bound_ms"))
Settings = namedtuple("Settings", ("op", "part", "parts", "data"))
Context = namedtuple("Context", ("part", "parts", "data"))
Bind = namedtuple("Bind", ("op", "binding_id", "part", "parts", "data"))
AlarmAccept = namedtuple("AlarmAccept", ("alarm_id", "priority", "who"))
SelfTest = namedtuple("SelfTest", ("what",))
Maintenance = namedtuple("Maintenance", ("op", "seconds"))
Ping = namedtuple("Ping", ("token",))
Bye = namedtuple("Bye", ("reason",))
Keys = namedtuple("Keys", ("op", "key_id"))
StatusAsk = namedtuple("StatusAsk", ())
Pause = namedtuple("Pause", ("op", "why", "seconds"))
NobodyReached = namedtuple("NobodyReached", ("priority",))
Block = namedtuple("Block", ("data",))
Gap = namedtuple("Gap", ("first_seq", "last_seq", "reason"))
Live = namedtuple(
    "Live",
    (
        "t_ms",
        "temp_cc",
        "spo2_tenths",
        "hr_bpm",
        "pi_hundredths",
        "status",
        "fever",
        "lower",
        "upper",
        "alarms",
    ),
)
Alarm = namedtuple("Alarm", ("seq", "t_ms", "alarms"))
StatusIs = namedtuple(
    "StatusIs",
    (
        "boot", "now_ms", "head_seq", "acked_seq", "settings_version", "flags", "battery_mv", "heap_free",
        "binding_id", "counters",
    ),
)  # fmt: skip
Pong = namedtuple("Pong", ("token",))
Result = namedtuple("Result", ("request", "code", "detail"))
SettingsIs = namedtuple("SettingsIs", ("version", "data"))
CaughtUp = namedtuple("CaughtUp", ("head_seq",))
TimeIs = namedtuple("TimeIs", ("utc_ms", "boot", "t_ms"))
KeysIs = namedtuple("KeysIs", ("keys",))
KeyInfo = namedtuple("KeyInfo", ("key_id", "role", "name"))
SelfTestIs = namedtuple("SelfTestIs", ("text",))
Unknown = namedtuple("Unknown", ("type", "body"))

# Field letters: B H I Q unsigned of 1, 2, 4, 8 bytes; T time of 6 bytes; D eight bytes as they are; h a u16 that holds
# value + 1 with 0 for None; g a u8 with 255 for None. Last field of unknown length: t UTF-8 text, w text of at most
# 32 bytes, x bytes, p count u8 and (id u8, priority u8) pairs, c count u8 and (id u8, value u32) pairs, k count u8 and
# keys (id u32, role u8, name length u8, name).
LAYOUTS = {
    0x10: (ReadFrom, "IHH"),
    0x11: (Ack, "II"),
    0x12: (Time, "QI"),
    0x13: (Settings, "BBBx"),
    0x14: (Context, "BBx"),
    0x15: (Bind, "BDBBx"),
    0x16: (AlarmAccept, "BBw"),
    0x17: (SelfTest, "B"),
    0x18: (Maintenance, "BH"),
    0x19: (Ping, "I"),
    0x1A: (Bye, "B"),
    0x1B: (Keys, "BI"),
    0x1C: (StatusAsk, ""),
    0x1D: (Pause, "BBH"),
    0x1E: (NobodyReached, "B"),
    0x20: (Block, "x"),
    0x21: (Gap, "IIB"),
    0x22: (Live, "ThhhhHBggp"),
    0x23: (Alarm, "ITp"),
    0x24: (StatusIs, "ITIIHHHIDc"),
    0x25: (Pong, "I"),
    0x26: (Result, "BBt"),
    0x27: (SettingsIs, "Hx"),
    0x28: (CaughtUp, "I"),
    0x29: (TimeIs, "QIT"),
    0x2A: (KeysIs, "k"),
    0x2B: (SelfTestIs, "t"),
}
_SIZES = {"B": 1, "H": 2, "I": 4, "Q": 8, "T": 6}


def type_of(message: tuple) -> int:  # type: ignore[type-arg]
    """The type number of a message, by which a Result names the request that it answers."""
    if isinstance(message, Unknown):
        return message.type  # type: ignore[no-any-return]
    for number, (cls, _) in LAYOUTS.items():
        if cls is type(message):
            return number
    raise LocalError(f"{message!r} is not a message")


def encode(message: tuple) -> bytes:  # type: ignore[type-arg]
    """Return the plaintext; LocalError when a value does not fit its field."""
    if isinstance(message, Block):
        return b"\x20" + message.data  # type: ignore[no-any-return]
    number = type_of(message)
    if isinstance(message, Unknown):
        return bytes([number]) + message.body  # type: ignore[no-any-return]
    out = [bytes([number])]
    for letter, value in zip(LAYOUTS[number][1], message):
        out.append(_encode_field(letter, value))
    return b"".join(out)


def decode(plaintext: bytes) -> tuple:  # type: ignore[type-arg]
    """Read one message; RemoteError when the bytes do not fit the type's layout."""
    if not plaintext:
        raise RemoteError("a message without a type")
    number = plaintext[0]
    layout = LAYOUTS.get(number)
    if layout is None:
        return Unknown(number, plaintext[1:])
    if number == 0x20:
        return Block(plaintext[1:])
    cls, letters = layout
    values: list[object] = []
    at = 1
    for letter in letters:
        value, at = _decode_field(letter, plaintext, at)
        values.append(value)
    if at != len(plaintext):
        raise RemoteError(f"message 0x{number:02x} has {len(plaintext) - at} bytes too many")
    return cls(*values)  # type: ignore[no-any-return]


def _uint(value: int, size: int) -> bytes:
    # MicroPython's struct silently cuts what does not fit, so the bound is checked here.
    if not 0 <= value < 1 << 8 * size:
        raise LocalError(f"{value} does not fit {size} bytes")
    return value.to_bytes(size, "little")


def _encode_field(letter: str, value):  # type: ignore[no-untyped-def]
    size = _SIZES.get(letter)
    if size is not None:
        return _uint(value, size)
    if letter == "h":
        return _uint(0 if value is None else value + 1, 2)
    if letter == "g":
        if value == 255:
            raise LocalError("255 stands for None")
        return _uint(255 if value is None else value, 1)
    if letter == "D":
        if len(value) != 8:
            raise LocalError("an id has 8 bytes")
        return value
    if letter in "tw":
        raw = value.encode()
        if letter == "w" and len(raw) > WHO_MAX_BYTES:
            raise LocalError(f"{value!r} is longer than {WHO_MAX_BYTES} bytes")
        return raw
    if letter == "x":
        return value
    out = _uint(len(value), 1)
    for item in value:
        if letter == "p":
            out += _uint(item[0], 1) + _uint(item[1], 1)
        elif letter == "c":
            out += _uint(item[0], 1) + _uint(item[1], 4)
        else:
            name = item[2].encode()
            out += _uint(item[0], 4) + _uint(item[1], 1) + _uint(len(name), 1) + name
    return out


def _take(buf: bytes, at: int, size: int) -> bytes:
    piece = buf[at : at + size]
    if len(piece) != size:
        raise RemoteError(f"message 0x{buf[0]:02x} ends {size - len(piece)} bytes early")
    return piece


def _decode_field(letter: str, buf: bytes, at: int):  # type: ignore[no-untyped-def]
    size = _SIZES.get(letter)
    if size is not None:
        return int.from_bytes(_take(buf, at, size), "little"), at + size
    if letter == "h":
        stored = struct.unpack("<H", _take(buf, at, 2))[0]
        return (stored - 1 if stored else None), at + 2
    if letter == "g":
        stored = _take(buf, at, 1)[0]
        return (None if stored == 255 else stored), at + 1
    if letter == "D":
        return _take(buf, at, 8), at + 8
    if letter in "tw":
        raw = buf[at:]
        if letter == "w" and len(raw) > WHO_MAX_BYTES:
            raise RemoteError(f"a name of {len(raw)} bytes")
        return text_of(raw), len(buf)
    if letter == "x":
        return buf[at:], len(buf)
    count = _take(buf, at, 1)[0]
    at += 1
    items: list[tuple] = []  # type: ignore[type-arg]
    for _ in range(count):
        if letter == "p":
            pair = _take(buf, at, 2)
            items.append((pair[0], pair[1]))
            at += 2
        elif letter == "c":
            items.append(struct.unpack("<BI", _take(buf, at, 5)))
            at += 5
        else:
            key_id, role, length = struct.unpack("<IBB", _take(buf, at, 6))
            items.append(KeyInfo(key_id, role, text_of(_take(buf, at + 6, length))))
            at += 6 + length
    return items, at


def text_of(raw: bytes) -> str:
    """Decode UTF-8 as strictly as CPython on both runtimes; RemoteError otherwise. MicroPython itself accepts overlong
    forms and surrogates, and the other side could then not read the text."""
    try:
        text = str(raw, "utf-8")
        if raw and max(raw) >= 0x80:
            for c in text:
                if 0xD800 <= ord(c) < 0xE000 or ord(c) > 0x10FFFF:
                    raise RemoteError("text with a character that is none")
            if "".join([chr(ord(c)) for c in text]).encode() != raw:
                raise RemoteError("text in an overlong form")
    except (UnicodeError, ValueError):
        raise RemoteError("text that is not UTF-8")
    return text
