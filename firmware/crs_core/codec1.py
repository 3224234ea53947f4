"""Codec 1, the half that writes (codec1_reader.py reads): readings as delta rows.

This codec stays readable for ever; a better one gets the next number.

A row is a mask byte and one varint per column whose mask bit is set, in this order:

bit 0  t       zigzag of (t - previous t - previous step); the step before the first row is 10 000 ms
bit 1  temp    zigzag of (v - base), v = temp_cc + 1 and 0 for None
bit 2  spo2    as temp                     base = last v of this column in the block that was not None,
bit 3  hr      as temp                     before there is one: temp 3701, spo2 971, hr 81, pi 151
bit 4  pi      as temp
bit 5  status  status XOR previous status; before the first row: axilla, worn, both valid
bit 6-7        0; anything else is refused

A clear bit says: as in the row before, None included (t: the step is repeated; first row: start_ms and the
bases). So a gap costs two bytes when it begins, none while it lasts, and its end costs the change across it.
"""

from crs_core.errors import LocalError
from crs_core.units import Reading, SITE_AXILLA, WEAR_WORN, make_status

FIRST_STEP_MS = 10_000
TEMP, SPO2, HR, PI = 3701, 971, 81, 151
STATUS = make_status(SITE_AXILLA, 0, 0, WEAR_WORN)
T_LIMIT = 1 << 48
_ROW_MAX = 24  # mask 1, t 8, four values and status 3 each


def _put_at(out: bytearray, at: int, value: int) -> int:
    while value > 127:
        out[at] = value & 127 | 128
        value >>= 7
        at += 1
    out[at] = value
    return at + 1


def _stored(value: int | None) -> int:
    if value is None:
        return 0
    if 0 <= value <= 65534:
        return value + 1
    raise LocalError("reading value %d outside 0..65534" % value)


def encode(readings: list[Reading], start_ms: int) -> bytes:
    """Body of a block of `readings`, the first at `start_ms`. LocalError when a value does not fit."""
    out = bytearray(len(readings) * _ROW_MAX)
    n = 0
    t_last = start_ms - FIRST_STEP_MS
    step = FIRST_STEP_MS
    # p_: value of the row before; b_: base of the difference
    p_temp, p_spo2, p_hr, p_pi = TEMP - 1, SPO2 - 1, HR - 1, PI - 1
    b_temp, b_spo2, b_hr, b_pi, p_status = TEMP, SPO2, HR, PI, STATUS
    # The four value columns are written out: a loop over them takes twice as long on MicroPython.
    for t, temp, spo2, hr, pi, status in readings:
        at = n
        n += 1
        mask = 0
        d = t - t_last - step
        if d:
            if not 0 <= t < T_LIMIT:
                raise LocalError("time %d outside 48 bits" % t)
            mask = 1
            step += d
            d = d << 1 if d >= 0 else (-d << 1) - 1
            if d < 128:
                out[n] = d
                n += 1
            else:
                n = _put_at(out, n, d)
        t_last = t
        if temp != p_temp:
            mask |= 2
            v = _stored(temp)
            p_temp = temp
            d = v - b_temp
            d = d << 1 if d >= 0 else (-d << 1) - 1
            if v:
                b_temp = v
            if d < 128:
                out[n] = d
                n += 1
            else:
                n = _put_at(out, n, d)
        if spo2 != p_spo2:
            mask |= 4
            v = _stored(spo2)
            p_spo2 = spo2
            d = v - b_spo2
            d = d << 1 if d >= 0 else (-d << 1) - 1
            if v:
                b_spo2 = v
            if d < 128:
                out[n] = d
                n += 1
            else:
                n = _put_at(out, n, d)
        if hr != p_hr:
            mask |= 8
            v = _stored(hr)
            p_hr = hr
            d = v - b_hr
            d = d << 1 if d >= 0 else (-d << 1) - 1
            if v:
                b_hr = v
            if d < 128:
                out[n] = d
                n += 1
            else:
                n = _put_at(out, n, d)
        if pi != p_pi:
            mask |= 16
            v = _stored(pi)
            p_pi = pi
            d = v - b_pi
            d = d << 1 if d >= 0 else (-d << 1) - 1
            if v:
                b_pi = v
            if d < 128:
                out[n] = d
                n += 1
            else:
                n = _put_at(out, n, d)
        if status != p_status:
            if not 0 <= status <= 65535:
                raise LocalError("status %d outside 16 bits" % status)
            mask |= 32
            n = _put_at(out, n, status ^ p_status)
            p_status = status
        out[at] = mask
    if readings and readings[0][0] != start_ms:
        raise LocalError("start_ms is not the time of the first reading")
    return bytes(memoryview(out)[:n])
