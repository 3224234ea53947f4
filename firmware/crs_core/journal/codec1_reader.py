"""Reads codec 1, which wearables wrote before codec 2: readings as delta rows. It stays readable for ever.

A row is a mask byte and one varint per column whose mask bit is set, in this order:

bit 0  t       zigzag of (t - previous t - previous step); the step before the first row is 10 000 ms
bit 1  temp    zigzag of (v - base), v = temp_cc + 1 and 0 for None
bit 2  spo2    as temp                     base = last v of this column in the block that was not None,
bit 3  hr      as temp                     before there is one: temp 3701, spo2 971, hr 81, pi 151
bit 4  pi      as temp
bit 5  status  status XOR previous status; before the first row: axilla, worn, both valid
bit 6-7        0; anything else is refused

A clear bit says: as in the row before, also when that was None (t: the same step again; first row: start_ms and the
bases).
"""

from crs_core.errors import RemoteError
from crs_core.journal import varint
from crs_core.journal.block_layout import T_LIMIT
from crs_core.units import Reading, SITE_AXILLA, WEAR_WORN, make_status

FIRST_STEP_MS = 10_000
TEMP, SPO2, HR, PI = 3701, 971, 81, 151
STATUS = make_status(SITE_AXILLA, 0, 0, WEAR_WORN)


def decode(body: bytes, count: int, start_ms: int) -> list[Reading]:
    """The `count` readings of a body; RemoteError when it is short, long, or says what no encoder writes."""
    rows = []
    n = 0
    t = start_ms - FIRST_STEP_MS
    step = FIRST_STEP_MS
    temp: int | None = TEMP - 1
    spo2: int | None = SPO2 - 1
    hr: int | None = HR - 1
    pi: int | None = PI - 1
    b_temp, b_spo2, b_hr, b_pi, status = TEMP, SPO2, HR, PI, STATUS
    try:
        for _ in range(count):
            mask = body[n]
            n += 1
            if mask > 63:
                raise RemoteError("row with a reserved mask bit")
            if mask & 1:
                z = body[n]
                n += 1
                if z > 127:
                    z, n = varint.get(body, n - 1)
                step += (z >> 1) ^ -(z & 1)
            t += step
            if mask & 2:
                z = body[n]
                n += 1
                if z > 127:
                    z, n = varint.get(body, n - 1)
                z = b_temp + ((z >> 1) ^ -(z & 1))
                if z:
                    b_temp = z
                    temp = z - 1
                else:
                    temp = None
            if mask & 4:
                z = body[n]
                n += 1
                if z > 127:
                    z, n = varint.get(body, n - 1)
                z = b_spo2 + ((z >> 1) ^ -(z & 1))
                if z:
                    b_spo2 = z
                    spo2 = z - 1
                else:
                    spo2 = None
            if mask & 8:
                z = body[n]
                n += 1
                if z > 127:
                    z, n = varint.get(body, n - 1)
                z = b_hr + ((z >> 1) ^ -(z & 1))
                if z:
                    b_hr = z
                    hr = z - 1
                else:
                    hr = None
            if mask & 16:
                z = body[n]
                n += 1
                if z > 127:
                    z, n = varint.get(body, n - 1)
                z = b_pi + ((z >> 1) ^ -(z & 1))
                if z:
                    b_pi = z
                    pi = z - 1
                else:
                    pi = None
            if mask & 32:
                z, n = varint.get(body, n)
                status ^= z
            if not (
                0 < b_temp < 65536 and 0 < b_spo2 < 65536 and 0 < b_hr < 65536 and 0 < b_pi < 65536
                and 0 <= status < 65536 and 0 <= t < T_LIMIT
            ):  # fmt: skip
                raise RemoteError("row with a value outside its column")
            rows.append(Reading(t, temp, spo2, hr, pi, status))
    except IndexError:
        raise RemoteError("rows cut short")
    if n != len(body):
        raise RemoteError("bytes after the last row")
    if rows and rows[0][0] != start_ms:
        raise RemoteError("first row is not at the start time")
    return rows
