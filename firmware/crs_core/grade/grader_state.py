"""The grader's state: its layout and its bytes.

A list, opaque to callers; times are ms since boot. What people entered stands in the last slot (entries.py).
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

import struct

from crs_core.compat import const
from crs_core.errors import RemoteError
from crs_core.grade import baseline, hold

LAST = const(0)
LATCH = const(1)
TEMP_AT = const(2)
PPG_AT = const(3)
FLAT_CC = const(4)
FLAT_SINCE = const(5)
BASELINE = const(6)
CLOCKS = const(9)
POSSIBLE = const(9)
RISE = const(12)
FLAGS = const(15)
LOWER = const(16)  # of the last gradable step, None before the first
HELD = const(17)  # the lower bound that entries which ran out had made sure of; 0 = none
SPO2 = const(18)  # usable, 0.1 %, at PPG_AT
TOLD = const(19)  # entries
MET_AT = const(20)  # the last step at which the fever of the syndrome was met

FEBRILE = const(1)  # the last usable temperature met the criterion
SPO2_LOW = const(2)  # the last usable saturation was below the MEDIUM limit
AGE_UNKNOWN = const(4)  # a boot made entries run out
WORRIED = const(8)  # something worrying was entered since the last step

_COUNT = const(2)
_VERSION = const(2)
_NO_LOWER = const(255)
_NONE = const(0xFFFFFFFF)
_FIXED = const(33)
_AGES = (LAST, TEMP_AT, PPG_AT, FLAT_SINCE, BASELINE + 2, MET_AT)


def new_state() -> list:
    """State at the start of an episode of a newly bound patient."""
    return [None, 0, None, None, None, None, 0, 0, None, None, 0, 0, None, 0, 0, 0, None, 0, None, [], None]


def encode_state(state: list, now_ms: int) -> bytes:
    """State as at most 52 bytes and 8 for each entry; times become ages at `now_ms`."""
    out = bytearray((_VERSION, state[LATCH], state[FLAGS], state[HELD]))
    out.append(_NO_LOWER if state[LOWER] is None else state[LOWER])
    for value in (state[FLAT_CC], state[SPO2]):
        out.extend(struct.pack("<H", 0 if value is None else value + 1))
    for at in _AGES:
        # 32 bits here: a temperature hours old must say so
        out.extend(
            struct.pack("<I", _NONE if state[at] is None else min(max(now_ms - state[at], 0), _NONE - 1))
        )
    baseline.put(out, state, BASELINE)
    hold.put_clocks(out, state, CLOCKS, _COUNT, now_ms)
    if state[TOLD]:
        from crs_core.grade import entry_numbers  # loaded with the first entry

        entry_numbers.put(out, state[TOLD], now_ms)  # nothing when none of them is of the link
    return bytes(out)


def decode_state(data: bytes, now_ms: int) -> list:
    """Read what `encode_state` wrote, ages taken back from `now_ms`; RemoteError on anything else."""
    if len(data) < _FIXED + 9:
        raise RemoteError("grader state too short")
    if data[0] != _VERSION or data[1] > 1 or data[2] >> 4 or data[3] > 4 or 4 < data[4] < _NO_LOWER:
        raise RemoteError("grader state of another version")
    s = new_state()
    s[LATCH], s[FLAGS], s[HELD] = data[1], data[2], data[3]
    s[LOWER] = None if data[4] == _NO_LOWER else data[4]
    fields = struct.unpack("<HHIIIIII", data[5:_FIXED])
    s[FLAT_CC] = fields[0] - 1 if fields[0] else None
    s[SPO2] = fields[1] - 1 if fields[1] else None
    i = 2
    for at in _AGES:
        s[at] = None if fields[i] == _NONE else now_ms - fields[i]
        i += 1
    offset = baseline.get(data, _FIXED, s, BASELINE)
    offset = hold.get_clocks(data, offset, s, CLOCKS, _COUNT, now_ms)
    if offset < len(data):
        from crs_core.grade import entry_numbers  # loaded with the first entry

        s[TOLD], offset = entry_numbers.get(data, offset, now_ms)
    if offset != len(data):
        raise RemoteError("grader state too long")
    return s
