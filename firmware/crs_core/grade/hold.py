"""Two kinds of clocks for conditions, and their bytes: times are stored as ages.

A clock lives in three slots of a state list: since (ms since boot, or None), back (0.1 s), raised (0 or 1).
A verdict is 1 (a usable sample fulfils the condition), 0 (a usable sample does not), -1 (nothing usable: it neither
resets a delay nor ends an alarm). Ages are 24 bits of milliseconds (4.6 h) and saturate; every limit is shorter.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core.compat import const
from crs_core.errors import RemoteError

SLOTS = const(3)
_AGE_NONE = const(0xFFFFFF)
_AGE_MAX = const(0xFFFFFE)
_U16_MAX = const(0xFFFF)
_DRAIN_MAX_MS = const(2_000)  # a stalled device did not see the patient recover


def hold(
    s: list, at: int, verdict: int, now_ms: int, dt_ms: int, delay_ms: int, reset_ms: int, end_ms: int
) -> bool:
    """Step the clock at `s[at]`; True while the condition is raised.

    It raises `delay_ms` after the first fulfilling sample unless samples that do not fulfil it add up to `reset_ms`
    without a fulfilling one between; once raised it ends after `end_ms` of such samples.
    """
    since = s[at]
    if since is None and verdict <= 0:
        return False  # nothing runs and nothing starts: nearly every second of every clock
    if verdict > 0:
        if since is None:
            since = s[at] = now_ms
        s[at + 1] = 0
    elif verdict == 0:
        back = s[at + 1] + dt_ms // 100
        if back * 100 >= (end_ms if s[at + 2] else reset_ms):
            s[at] = None
            s[at + 1] = s[at + 2] = 0
            return False
        s[at + 1] = back if back < _U16_MAX else _U16_MAX
    # While samples above the limit add up (back > 0) nothing new is raised.
    if not s[at + 2] and not s[at + 1] and now_ms - since >= delay_ms:
        s[at + 2] = 1
    return s[at + 2] != 0


def collect(s: list, at: int, verdict: int, dt_ms: int, delay_ms: int, back_ms: int) -> bool:
    """Step a clock that adds up only the time in which the condition is fulfilled (slot back, ms).

    It raises at `delay_ms`. Samples that do not fulfil the condition empty it within `back_ms` and end it.
    """
    level = s[at + 1]
    if verdict > 0:
        level += dt_ms
        if level >= delay_ms:
            level = delay_ms
            s[at + 2] = 1
    elif verdict == 0 and level:
        level -= min(dt_ms, _DRAIN_MAX_MS) * delay_ms // back_ms if back_ms else level
        if level <= 0:
            level = 0
            s[at + 2] = 0
    s[at + 1] = level
    return s[at + 2] != 0


def above(s: list, at: int, value: int, limit: int, end_below: int) -> int:
    """Verdict for "at or above `limit`"; once raised, only a value more than `end_below` below it is against."""
    if value >= limit:
        return 1
    return 0 if not s[at + 2] or value < limit - end_below else -1


def reset(s: list, at: int) -> None:
    """Put the clock at `s[at]` back to the start."""
    s[at] = None
    s[at + 1] = s[at + 2] = 0


def put_age(out: bytearray, t_ms: int | None, now_ms: int) -> None:
    """Append the age of `t_ms` as 3 bytes, little-endian; None is all ones."""
    if t_ms is None:
        age = _AGE_NONE
    else:
        age = now_ms - t_ms
        age = 0 if age < 0 else _AGE_MAX if age > _AGE_MAX else age
    out.append(age & 0xFF)
    out.append(age >> 8 & 0xFF)
    out.append(age >> 16)


def get_age(data: bytes, offset: int, now_ms: int) -> int | None:
    """Time (ms since boot, may be negative) of the age at `offset`, or None."""
    age = data[offset] | data[offset + 1] << 8 | data[offset + 2] << 16
    return None if age == _AGE_NONE else now_ms - age


def put_clocks(out: bytearray, s: list, first: int, count: int, now_ms: int) -> None:
    """Append `count` clocks from `s[first]`: u16 mask in use, u16 mask raised, then {age, back u16} of those in use."""
    used = raised = 0
    for i in range(count):
        at = first + SLOTS * i
        if s[at] is not None or s[at + 1]:
            used |= 1 << i
        if s[at + 2]:
            raised |= 1 << i
    for mask in (used, raised):
        out.append(mask & 0xFF)
        out.append(mask >> 8)
    for i in range(count):
        if used >> i & 1:
            at = first + SLOTS * i
            put_age(out, s[at], now_ms)
            out.append(s[at + 1] & 0xFF)
            out.append(s[at + 1] >> 8)


def get_clocks(data: bytes, offset: int, s: list, first: int, count: int, now_ms: int) -> int:
    """Read what `put_clocks` wrote into `s`; returns the offset behind it. RemoteError when it cannot be."""
    if len(data) < offset + 4:
        raise RemoteError("state too short")
    used = data[offset] | data[offset + 1] << 8
    raised = data[offset + 2] | data[offset + 3] << 8
    if used >> count or raised & ~used:
        raise RemoteError("state names clocks that do not exist")
    offset += 4
    for i in range(count):
        if used >> i & 1:
            if len(data) < offset + 5:
                raise RemoteError("state too short")
            at = first + SLOTS * i
            s[at] = get_age(data, offset, now_ms)
            s[at + 1] = data[offset + 3] | data[offset + 4] << 8
            s[at + 2] = raised >> i & 1
            offset += 5
    return offset
