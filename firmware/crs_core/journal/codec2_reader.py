"""Reads codec 2; codec2_layout.py says what it is. A host reads all day, a wearable at its start."""

from crs_core.errors import RemoteError
from crs_core.journal.block_layout import T_LIMIT
from crs_core.journal.codec2_layout import (
    ALL_EQUAL,
    COLUMNS,
    FIRST_STEP_MS,
    STATE,
    STATE_BITS,
    STEP_K,
    VALUE_MAX,
)
from crs_core.units import Reading

_GAMMA_MAX = 56  # bits; a change of step has 52 at most

# The body as a text of 0 and 1: finding the next 1, splitting at each 1 and reading a number of any width are then one
# call each.


def _number(bits: str, at: int, width: int) -> int:
    if at + width > len(bits):
        raise RemoteError("columns cut short")
    return int(bits[at : at + width], 2)


def _gamma(bits: str, at: int, k: int) -> tuple[int, int]:
    one = bits.find("1", at)
    width = one - at + k + 1
    end = one + width
    if one < 0 or width > _GAMMA_MAX or end > len(bits):
        raise RemoteError("columns cut short, or a number too long")
    return int(bits[one:end], 2) - (1 << k), end


def _times(bits: str, at: int, count: int, start_ms: int) -> tuple[list[int], int]:
    if bits[at : at + 1] == "1":  # the usual block, on the grid
        if start_ms + FIRST_STEP_MS * (count - 1) >= T_LIMIT:
            raise RemoteError("time outside 48 bits")
        return [start_ms + FIRST_STEP_MS * i for i in range(count)], at + 1
    times: list[int] = []
    t = start_ms
    step = FIRST_STEP_MS
    rows, at = _gamma(bits, at, 0)
    while rows:
        z, at = _gamma(bits, at, STEP_K)
        if len(times) + rows >= count:
            raise RemoteError("change of step after the last row")
        times += [t + step * i for i in range(rows)]
        t += step * (rows - 1)
        step += (z >> 1) ^ -(z & 1)
        t += step
        rows, at = _gamma(bits, at, 0)
    times += [t + step * i for i in range(count - len(times))]
    if min(times) < 0 or max(times) >= T_LIMIT:
        raise RemoteError("time outside 48 bits")
    return times, at


def _states(bits: str, at: int, count: int) -> tuple[list[int], int]:
    """The state of each row; an empty list when all are as before the first row, which is the usual block."""
    if bits[at : at + 1] == "1":
        return [], at + 1
    states: list[int] = []
    state = STATE
    rows, at = _gamma(bits, at, 0)
    while rows:
        if len(states) + rows > count:
            raise RemoteError("change of state after the last row")
        states += [state] * (rows - 1)
        state ^= _number(bits, at, STATE_BITS)
        at += STATE_BITS
        states.append(state)
        rows, at = _gamma(bits, at, 0)
    return states + [state] * (count - len(states)), at


def _fill(bits: str, at: int, coded: list[tuple[list[int], int, int]]) -> int:
    """Put behind the one value of each column those that are coded as differences; where they end."""
    quotients = sum([more for _, more, _ in coded])
    zeros = bits[at:].split("1", quotients)
    if len(zeros) <= quotients:
        raise RemoteError("columns cut short")
    at = len(bits) - len(zeros.pop())
    n = 0
    for values, more, k in coded:
        shift = more * k
        low = _number(bits, at, shift) if k else 0
        at += shift
        mask = (1 << k) - 1
        v = values[0]
        for run in zeros[n : n + more]:
            shift -= k
            z = len(run) << k | low >> shift & mask
            v += ~(z >> 1) if z & 1 else z >> 1
            values.append(v)
        n += more
    return at


def _spread(values: list[int], states: list[int], mark: int) -> list[int | None]:
    """`values` in the rows whose state has no `mark`, None in the others."""
    rows: list[int | None] = []
    n = 0
    for state in states:
        if state & mark:
            rows.append(None)
        else:
            rows.append(values[n])
            n += 1
    return rows


def decode(body: bytes, count: int, start_ms: int) -> list[Reading]:
    """The `count` readings of a body; RemoteError when it is short, long, or says what no encoder writes."""
    bits = bin(int.from_bytes(b"\x01" + body, "big"))[3:]
    times, at = _times(bits, 0, count, start_ms)
    states, at = _states(bits, at, count)
    statuses = [state >> 4 for state in states] or [STATE >> 4] * count
    lost = 0
    for state in states:
        lost |= state
    four = 0xFFFF
    if count > 1:
        four = _number(bits, at, 16)
        at += 16
    shift = 16
    columns: list[list[int]] = []
    coded = []  # (the column with its first value, how many differences follow, their k)
    for mark, base, first_k in COLUMNS:
        shift -= 4
        k = four >> shift & 15
        there = sum([not state & mark for state in states]) if lost & mark else count
        values: list[int] = []
        if there:
            z, at = _gamma(bits, at, first_k)
            values.append(base + ((z >> 1) ^ -(z & 1)))
        if k == ALL_EQUAL:
            values = values * there
        elif there > 1:
            coded.append((values, there - 1, k))
        else:
            raise RemoteError("differences of fewer than two values")
        columns.append(values)
    at = _fill(bits, at, coded)
    if len(bits) - at > 7 or "1" in bits[at:]:
        raise RemoteError("bytes after the last column")
    every = columns[0] + columns[1] + columns[2] + columns[3]
    if every and (min(every) < 0 or max(every) > VALUE_MAX):
        raise RemoteError("value outside its column")
    rows: list[list[int | None]] = columns  # type: ignore[assignment]
    if lost & 15:
        rows = [_spread(values, states, column[0]) for values, column in zip(columns, COLUMNS)]
    return list(map(Reading, times, *rows, statuses))
