"""The wearer's own axillary baseline: a slow mean of temperatures that suggest no fever, one sample a minute.

Three slots of a state list: mean (0.01 °C × 1024), minutes counted, time of the last sample (ms since boot, or None).
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core.compat import const

SLOTS = const(3)
_MINUTE_MS = const(60_000)
_SHIFT = const(10)
_HALF = const(512)


def learn(s: list, at: int, temp_cc: int, now_ms: int, span_min: int) -> None:
    """Add `temp_cc` to the mean, at most once a minute; the mean forgets over `span_min` minutes."""
    last_ms = s[at + 2]
    if last_ms is not None and now_ms - last_ms < _MINUTE_MS:
        return
    s[at + 2] = now_ms
    count = s[at + 1]
    if count < span_min:
        count += 1
        s[at + 1] = count
    s[at] += ((temp_cc << _SHIFT) - s[at] + count // 2) // count


def value_cc(s: list, at: int, ready_min: int) -> int | None:
    """The baseline in 0.01 °C, or None until `ready_min` minutes were learnt."""
    return (s[at] + _HALF) >> _SHIFT if s[at + 1] >= ready_min else None


def forget(s: list, at: int) -> None:
    """Start again without a baseline."""
    s[at] = s[at + 1] = 0
    s[at + 2] = None


def put(out: bytearray, s: list, at: int) -> None:
    """Append mean (u24) and count (u16); the caller appends the age of the last sample."""
    out.append(s[at] & 0xFF)
    out.append(s[at] >> 8 & 0xFF)
    out.append(s[at] >> 16)
    out.append(s[at + 1] & 0xFF)
    out.append(s[at + 1] >> 8)


def get(data: bytes, offset: int, s: list, at: int) -> int:
    """Read what `put` wrote; returns the offset behind it."""
    s[at] = data[offset] | data[offset + 1] << 8 | data[offset + 2] << 16
    s[at + 1] = data[offset + 3] | data[offset + 4] << 8
    return offset + 5
