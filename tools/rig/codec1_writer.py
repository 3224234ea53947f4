"""Codec 1 as wearables wrote it before codec 2: what tests read and the bench measures. Runs on both runtimes.

The format is described in crs_core/journal/codec1_reader.py.
"""

from crs_core.errors import LocalError
from crs_core.journal import block_layout, block_writer
from crs_core.journal.codec1_reader import FIRST_STEP_MS, HR, PI, SPO2, STATUS, T_LIMIT, TEMP
from crs_core.units import Reading

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
    raise LocalError(f"reading value {value} outside 0..65534")


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
                raise LocalError(f"time {t} outside 48 bits")
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
                raise LocalError(f"status {status} outside 16 bits")
            mask |= 32
            n = _put_at(out, n, status ^ p_status)
            p_status = status
        out[at] = mask
    if readings and readings[0][0] != start_ms:
        raise LocalError("start_ms is not the time of the first reading")
    return bytes(memoryview(out)[:n])


def encode_readings(
    journal_id: bytes, boot: int, first_seq: int, readings: list[Reading], flags: int = 0
) -> bytes:
    """One block in codec 1; otherwise as block.encode_readings."""
    start_ms = readings[0][0]
    body = encode(readings, start_ms)
    return block_writer.seal(
        journal_id,
        block_layout.KIND_READINGS,
        block_layout.CODEC_ROWS,
        flags,
        len(readings),
        boot,
        first_seq,
        start_ms,
        body,
    )
