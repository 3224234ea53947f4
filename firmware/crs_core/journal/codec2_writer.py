"""Writes codec 2; codec2_layout.py says what it is."""

from crs_core.errors import LocalError
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


class _Bits:
    """Bits on their way into bytes. What waits stays below 2**30, which is one machine word on every board."""

    def __init__(self) -> None:
        self.out = bytearray()
        self._held = 0
        self._n = 0  # bits in _held, below 8 between calls

    def put(self, value: int, width: int) -> None:
        """Append `value` in `width` bits."""
        held = self._held
        n = self._n
        out = self.out
        while width:
            take = width if width < 16 else 16
            width -= take
            held = held << take | value >> width & (1 << take) - 1
            n += take
            while n > 7:
                n -= 8
                out.append(held >> n)
                held &= (1 << n) - 1
        self._held = held
        self._n = n

    def gamma(self, value: int, k: int) -> None:
        """Append `value` as an Exp-Golomb code."""
        value += 1 << k
        width = k + 1
        while value >> width:
            width += 1
        self.put(value, 2 * width - k - 1)

    def quotients(self, zigzags: list[int], k: int) -> None:
        """Append of each what is above its low `k` bits: as many zeros, then a 1."""
        held = self._held
        n = self._n
        out = self.out
        for z in zigzags:
            z = (z >> k) + 1
            while z > 15:  # whole bytes of zeros, so that `held` stays below 2**23
                out.append(held << 8 - n)
                z -= 8 - n
                held = n = 0
            held = held << z | 1
            n += z
            while n > 7:
                n -= 8
                out.append(held >> n)
                held &= (1 << n) - 1
        self._held = held
        self._n = n

    def low_bits(self, zigzags: list[int], k: int) -> None:
        """Append the low `k` bits of each."""
        held = self._held
        n = self._n
        out = self.out
        low = (1 << k) - 1
        for z in zigzags:
            held = held << k | z & low
            n += k
            while n > 7:
                n -= 8
                out.append(held >> n)
                held &= (1 << n) - 1
        self._held = held
        self._n = n

    def done(self) -> bytes:
        """All bytes, the last filled up with 0."""
        if self._n:
            self.put(0, 8 - self._n)
        return bytes(self.out)


def _zigzag(d: int) -> int:
    return d << 1 if d >= 0 else (-d << 1) - 1


def _put_times(bits: _Bits, times: list[int]) -> None:
    if min(times) < 0 or max(times) >= T_LIMIT:
        raise LocalError("time outside 48 bits: %d to %d" % (min(times), max(times)))
    last = times[0] - FIRST_STEP_MS
    step = FIRST_STEP_MS
    since = 0
    for t in times:
        d = t - last - step
        if d:
            bits.gamma(since, 0)
            bits.gamma(_zigzag(d), STEP_K)
            step += d
            since = 0
        since += 1
        last = t
    bits.gamma(0, 0)


def _put_states(bits: _Bits, readings: list[Reading]) -> None:
    before = STATE
    since = 1
    for reading in readings:
        state = reading[5] << 4
        if None in reading:
            for i in (1, 2, 3, 4):
                if reading[i] is None:
                    state |= 1 << i - 1
        if state != before:
            if not 0 <= state < 1 << STATE_BITS:
                raise LocalError("status %d outside 16 bits" % reading[5])
            bits.gamma(since, 0)
            bits.put(state ^ before, STATE_BITS)
            before = state
            since = 0
        since += 1
    bits.gamma(0, 0)


def _differences(values: list[int]) -> tuple[list[int], int]:
    """The zigzags of the differences and their k: the highest whose 2**k is not above their mean.

    It costs 0.4 % more than the best k, and no block needs more than k + 3 bits for a difference with it.
    """
    if min(values) < 0 or max(values) > VALUE_MAX:
        raise LocalError("reading value outside 0..65534: %d to %d" % (min(values), max(values)))
    zigzags = []
    total = 0
    last = values[0]
    for v in values[1:]:
        d = v - last
        last = v
        d = d << 1 if d >= 0 else (-d << 1) - 1
        total += d
        zigzags.append(d)
    if not total:
        return zigzags, ALL_EQUAL
    k = 0
    while k < ALL_EQUAL - 1 and len(zigzags) << k + 1 <= total:
        k += 1
    return zigzags, k


def encode(readings: list[Reading], start_ms: int) -> bytes:
    """Body of a block of `readings`, the first at `start_ms`. LocalError when a value does not fit."""
    if not readings or readings[0][0] != start_ms:
        raise LocalError("start_ms is not the time of the first reading")
    bits = _Bits()
    _put_times(bits, [reading[0] for reading in readings])
    _put_states(bits, readings)
    firsts = []
    coded = []
    four = field = 0
    for _, base, first_k in COLUMNS:
        field += 1
        values = [reading[field] for reading in readings if reading[field] is not None]
        k = ALL_EQUAL
        if values:
            firsts.append((_zigzag(values[0] - base), first_k))
            zigzags, k = _differences(values)
            if k != ALL_EQUAL:
                coded.append((zigzags, k))
        four = four << 4 | k
    if len(readings) > 1:
        bits.put(four, 16)
    for z, first_k in firsts:
        bits.gamma(z, first_k)
    for zigzags, k in coded:
        bits.quotients(zigzags, k)
    for zigzags, k in coded:
        bits.low_bits(zigzags, k)
    return bits.done()
