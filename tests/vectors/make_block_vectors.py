"""Write blocks.json: `python tests/vectors/make_block_vectors.py`.

Golden: no test runs this, and a change of the file means that stored journals can no longer be read. It shares no code
with crs_core and is written the slow way from PROTOCOL.md, so the same error twice is unlikely.
"""

import itertools
import json
import struct
import zlib
from pathlib import Path

JOURNAL = bytes.fromhex("0123456789abcdef")
BASES = {"temp": 3701, "spo2": 971, "hr": 81, "pi": 151}
COLUMNS = ("temp", "spo2", "hr", "pi")
WORN = 1 | 1 << 10  # axilla, worn, both values valid


def varint(n: int) -> bytes:
    out = b""
    while True:
        out += bytes([n % 128 + (128 if n >= 128 else 0)])
        n //= 128
        if n == 0:
            return out


def zigzag(n: int) -> int:
    return 2 * n if n >= 0 else -2 * n - 1


def rows(readings: list[tuple]) -> bytes:
    out = b""
    last_t, step = readings[0][0] - 10_000, 10_000
    before = {name: BASES[name] - 1 for name in COLUMNS}
    base = dict(BASES)
    status_before = WORN
    for t, *values, status in readings:
        mask, tail = 0, b""
        if t - last_t != step:
            mask |= 1
            tail += varint(zigzag(t - last_t - step))
        last_t, step = t, t - last_t
        for bit, name, value in zip((1, 2, 3, 4), COLUMNS, values, strict=True):
            if value != before[name]:
                mask |= 1 << bit
                v = 0 if value is None else value + 1
                tail += varint(zigzag(v - base[name]))
                base[name] = v or base[name]
                before[name] = value
        if status != status_before:
            mask |= 32
            tail += varint(status ^ status_before)
            status_before = status
        out += bytes([mask]) + tail
    return out


def gamma(n: int, k: int) -> str:
    """Exp-Golomb: n + 2**k in binary, behind as many 0 as it has digits behind its first k + 1."""
    digits = f"{n + 2**k:b}"
    return "0" * (len(digits) - k - 1) + digits


def columns(readings: list[tuple]) -> bytes:
    """Codec 2 as text of 0 and 1."""
    text, noted, step = "", 0, 10_000
    for i in range(1, len(readings)):
        change = readings[i][0] - readings[i - 1][0] - step
        if change:
            text += gamma(i - noted, 0) + gamma(zigzag(change), 11)
            noted, step = i, step + change
    text += gamma(0, 0)
    state, noted = WORN * 16, -1
    for i, (_, *values, status) in enumerate(readings):
        new = status * 16 + sum(2**n for n in range(4) if values[n] is None)
        if new != state:
            text += gamma(i - noted, 0) + f"{new ^ state:020b}"
            state, noted = new, i
    text += gamma(0, 0)
    ks = firsts = quotients = lows = ""
    for i, (base, by) in enumerate(zip((3700, 970, 80, 150), (6, 5, 5, 6), strict=True)):
        values = [row[i + 1] for row in readings if row[i + 1] is not None]
        z = [zigzag(b - a) for a, b in itertools.pairwise(values)]
        k = 15 if not any(z) else max([k for k in range(15) if 2**k <= sum(z) / len(z)], default=0)
        ks += f"{k:04b}"
        firsts += gamma(zigzag(values[0] - base), by) if values else ""
        if k < 15:
            quotients += "".join("0" * (n // 2**k) + "1" for n in z)
            lows += "".join(f"{n % 2**k:0{k}b}" for n in z) if k else ""
    return packed(text + (ks if len(readings) > 1 else "") + firsts + quotients + lows)


def packed(text: str) -> bytes:
    text += "0" * (-len(text) % 8)
    return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))


def tlv(events: list[tuple[int, int, bytes]]) -> bytes:
    return b"".join(
        bytes([kind]) + varint(len(payload)) + varint(t - events[0][0]) + payload
        for t, kind, payload in events
    )


def seal(kind, codec, flags, count, boot, first, start, body, journal=JOURNAL) -> bytes:
    data = bytes([0xC5, 0x10 | kind, codec << 4 | flags, count]) + struct.pack("<HII", len(body), boot, first)
    data += struct.pack("<Q", start)[:6] + body
    return data + struct.pack("<I", zlib.crc32(journal + data))


def main() -> None:
    good, bad, payloads = [], [], []

    def readings(name, boot, first, flags, items):
        both = []
        for codec, body in ((1, rows(items)), (2, columns(items))):
            both.append(seal(1, codec, flags, len(items), boot, first, items[0][0], body))
            good.append(
                {"name": f"{name}, codec {codec}", "kind": 1, "boot": boot, "first_seq": first, "flags": flags,
                 "records": items, "bytes": both[-1].hex()}
            )  # fmt: skip
        return both[0]

    def events(name, boot, first, flags, items):
        data = seal(2, 0, flags, len(items), boot, first, items[0][0], tlv(items))
        good.append(
            {"name": name, "kind": 2, "boot": boot, "first_seq": first, "flags": flags,
             "records": [[t, kind, payload.hex()] for t, kind, payload in items], "bytes": data.hex()}
        )  # fmt: skip
        return data

    flat = readings("all as predicted", 1, 1, 0, [(i * 10_000, 3700, 970, 80, 150, WORN) for i in range(12)])
    readings("one reading, simulated", 7, 1000, 1, [(123_456, 3862, 884, 118, 52, WORN)])
    readings(
        "gap of all values and back, jitter, another status", 2, 41, 1,
        [(60_000, 3701, 970, 81, 152, WORN), (70_003, 3703, 969, 82, 152, WORN),
         (79_998, None, None, None, None, 0x0891), (90_000, None, None, None, None, 0x0891),
         (100_001, 3704, 968, None, 0, WORN), (110_001, 3704, 968, 77, 65534, 0xFFFF)],
    )  # fmt: skip
    readings(
        "extremes", 0xFFFFFFFF, 0xFFFFFFFF - 1, 0,
        [(2**48 - 2, 0, 65534, 0, 65534, 0), (2**48 - 1, 65534, 0, 65534, 0, 65535)],
    )  # fmt: skip
    readings(
        "time runs backwards", 3, 5, 0, [(50_000, 3700, 970, 80, 150, WORN), (1, 3700, 970, 80, 150, WORN)]
    )
    readings(
        "255 readings", 4, 100, 0, [(i * 997, 3700 + i % 3, 970 - i % 5, 80, 150, WORN) for i in range(255)]
    )
    readings("one quotient of 44 zeros", 4, 400, 0, [
        (i * 10_000, 3700, 970 + (i > 9), 80, 150 + 88 * (i > 9), WORN) for i in range(24)
    ])  # fmt: skip

    payload = {
        "BOOT": (1, struct.pack("<BI", 1, 6) + b"\xff" * 6 + struct.pack("<IH", 120_000, 3) + b"rulehash"
                 + b"\x050.1.0" + b"\x02\0aa" + b"\x01\0g"),
        "SETTINGS": (2, struct.pack("<H", 3) + b"rulehash" + struct.pack("<H", 1) + b"site=axilla\n"),
        "TIME_MARK": (3, struct.pack("<QII", 1_790_000_000_000, 40, 5)),
        "GRADE": (4, struct.pack("<BH", 1, 2) + b"rulehash" + bytes([255, 4, 3, 2, 2, 1, 9, 1, 4])
                  + struct.pack("<II", 400, 0xFFFFFFFF) + b"\x03\0abc"),
        "ALARM": (5, b"rulehash" + bytes([2, 1, 2, 3, 0]) + b"\x02\0in" + b"\x00\0" + struct.pack("<I", 0xDEADBEEF)),
        "GRADER_STATE": (6, b"\x01rulehash\x01\0a\x01\0g"),
        "BUTTON": (7, b"\x02"),
        "SAMPLE_GAP": (8, struct.pack("<BBII", 1, 1, 31, 1240)),
        "FAULT": (9, struct.pack("<BBI", 3, 6, 1) + "skipped ü".encode()),
        "BINDING": (10, b"\x01binding!" + b"\x03\0a=b"),
        "ACCEPTED": (11, struct.pack("<BBI", 3, 2, 77) + b"nurse 4"),
        "MAINTENANCE": (12, b"\x01\x00"),
        "CALIBRATION": (13, struct.pack("<H", 1) + b"AN6845"),
        "CONTEXT": (14, b"\x00\xff opaque"),
        "MERGED": (15, struct.pack("<BIII", 9, 12, 100, 160) + b"\x01\0\0\0\0\0" + b"\x02\0\0\0\0\0"),
        "HEALTH": (16, bytes([2, 1]) + struct.pack("<I", 5) + bytes([9]) + struct.pack("<I", 0xFFFFFFFF)),
        "PAUSE": (17, struct.pack("<BBHI", 1, 2, 1200, 42)),
    }  # fmt: skip
    for name, (kind, data) in payload.items():
        payloads.append({"name": name, "type": kind, "bytes": data.hex()})
    several = events("every type", 2, 13, 1,
                     [(5000 + i * 3, kind, data) for i, (kind, data) in enumerate(payload.values())])  # fmt: skip
    events("unknown type kept", 2, 77, 0, [(9, 200, b"new"), (300, 7, b"\x01"), (2**40, 255, b"")])

    def refuse(name, data, says, journal=JOURNAL):
        bad.append({"name": name, "journal": journal.hex(), "bytes": data.hex(), "says": says})

    one = (1000, 3700, 970, 80, 150, WORN)
    body = rows([one])
    refuse("empty", b"", "cut short")
    refuse("no body", seal(1, 3, 0, 1, 1, 1, 0, b""), "CRC")
    refuse("header only", flat[:20], "CRC")
    refuse("cut by one byte", flat[:-1], "CRC")
    refuse("one byte too many", flat + b"\0", "CRC")
    refuse("another journal", flat, "CRC", bytes(8))
    refuse("bit of the body flipped", several[:30] + bytes([several[30] ^ 4]) + several[31:], "CRC")
    refuse("bit of the CRC flipped", flat[:-1] + bytes([flat[-1] ^ 128]), "CRC")
    refuse("magic", b"\xc4" + flat[1:], "first byte")
    refuse("header version 2", b"\xc5\x21" + flat[2:], "version")
    refuse("count 0", seal(1, 1, 0, 0, 1, 1, 0, body), "without a record")
    refuse("sequence 0", seal(1, 1, 0, 1, 1, 0, 1000, body), "sequence")
    refuse("sequence past the end", seal(1, 1, 0, 2, 1, 2**32 - 1, 1000, body + b"\0"), "sequence")
    refuse("rows cut short", seal(1, 1, 0, 2, 1, 1, 1000, body), "cut short")
    refuse("bytes after the rows", seal(1, 1, 0, 1, 1, 1, 1000, body + b"\0"), "after the last row")
    refuse("reserved mask bit 6", seal(1, 1, 0, 1, 1, 1, 1000, b"\x40"), "reserved")
    refuse("reserved mask bit 7", seal(1, 1, 0, 1, 1, 1, 1000, b"\x80"), "reserved")
    refuse("first row not at the start", seal(1, 1, 0, 1, 1, 1, 1000, b"\x01\x02"), "start time")
    refuse("value below none", seal(1, 1, 0, 1, 1, 1, 1000, b"\x08" + varint(zigzag(-82))), "outside")
    refuse(
        "value above 65534", seal(1, 1, 0, 1, 1, 1, 1000, b"\x02" + varint(zigzag(65536 - 3701))), "outside"
    )
    refuse("status above 16 bits", seal(1, 1, 0, 1, 1, 1, 1000, b"\x20" + varint(1 << 16)), "outside")
    refuse("time below zero", seal(1, 1, 0, 2, 1, 1, 0, b"\x00\x01" + varint(zigzag(-10_001))), "outside")
    refuse("varint padded", seal(1, 1, 0, 1, 1, 1, 1000, b"\x02\x80\x00"), "padded")
    refuse("varint too long", seal(1, 1, 0, 1, 1, 1, 1000, b"\x02" + b"\xff" * 8 + b"\x01"), "longer")
    same = [one, (11_000, 3700, 970, 80, 150, WORN)]
    ok = "1" + "1" + "1" * 16 + gamma(0, 6) + gamma(0, 5) * 2 + gamma(0, 6)  # what columns(same) writes

    def refuse2(name, text, says, count=2):
        refuse(name, seal(1, 2, 0, count, 1, 1, 1000, packed(text)), says)

    assert packed(ok) == columns(same)
    refuse2("columns cut short in the k", "11" + "1" * 13, "cut short")
    refuse2("columns cut short in a first value", ok[:34], "cut short")
    refuse2("no 1 in the rest", "0" * 64, "cut short")
    refuse2("columns cut short in the quotients", "11" + "0000" + "1" * 12 + ok[18:], "cut short")
    refuse2("columns cut short in the low bits", "11" + "1110" + "1" * 12 + ok[18:] + "1", "cut short")
    refuse2("a byte after the columns", ok + "0" * 8, "after the last column")
    refuse2("a bit after the columns", ok + "1", "after the last column")
    refuse2("differences of one value",
            "1" + (gamma(1, 0) + f"{1:020b}") * 2 + "1" + "0000" + "1" * 12 + ok[18:], "fewer than two")  # fmt: skip
    refuse2("differences of no value", "1" + gamma(1, 0) + f"{1:020b}" + "1" + "0000" + "1" * 12 + ok[25:],
            "fewer than two")  # fmt: skip
    refuse2("step changes after the last row", gamma(2, 0) + gamma(5, 11) + ok, "after the last row")
    refuse2(
        "state changes after the last row", "1" + gamma(3, 0) + f"{1:020b}" + ok[1:], "after the last row"
    )
    refuse2("state changes after very many rows", "1" + gamma(2**43, 0) + f"{1:020b}" + ok[1:],
            "after the last row")  # fmt: skip
    refuse2("columns with a time below zero", gamma(1, 0) + gamma(zigzag(-11_001), 11) + ok, "outside")
    refuse2("columns with a time past the end", gamma(1, 0) + gamma(2**50, 11) + ok, "outside")
    refuse("on the grid past the end", seal(1, 2, 0, 2, 1, 1, 2**48 - 1, packed(ok)), "outside")
    refuse2("columns with a value below 0", ok[:25] + gamma(zigzag(-971), 5) + ok[31:], "outside")
    refuse2("columns with a value above 65534", ok[:25] + gamma(zigzag(65535 - 970), 5) + ok[31:], "outside")
    refuse2("a number of 60 bits", gamma(2**59, 0) + ok, "too long")
    refuse("event longer than its block", seal(2, 0, 0, 1, 1, 1, 0, b"\x07\x02\x00\x01"), "longer")
    refuse("bytes after the events", seal(2, 0, 0, 1, 1, 1, 0, b"\x07\x00\x00\x01"), "after the last event")
    refuse("events cut short", seal(2, 0, 0, 2, 1, 1, 0, b"\x07\x00\x00"), "cut short")
    refuse("event out of time", seal(2, 0, 0, 1, 1, 1, 2**48 - 1, b"\x07\x00\x01"), "out of time")

    later = [
        {"name": "kind 3", "bytes": seal(3, 0, 0, 1, 1, 1, 0, b"??").hex()},
        {"name": "codec 3", "bytes": seal(1, 3, 0, 200, 9, 70, 5, b"later").hex()},
        {"name": "readings as records", "bytes": seal(1, 0, 0, 1, 1, 1, 0, b"?").hex()},
        {"name": "flag 4", "bytes": seal(1, 1, 4, 1, 1, 1, 1000, body).hex()},
    ]
    bad_payloads = []
    for name, (kind, data) in payload.items():
        if name not in ("CONTEXT",):
            bad_payloads.append(
                {"name": f"{name} cut", "type": kind, "bytes": data[: 1 if len(data) > 1 else 0].hex()}
            )
        if name not in ("CONTEXT", "SETTINGS", "FAULT", "ACCEPTED", "CALIBRATION"):
            bad_payloads.append({"name": f"{name} long", "type": kind, "bytes": (data + b"x").hex()})
    bad_payloads += [
        {"name": "FAULT not text", "type": 9, "bytes": (payload["FAULT"][1][:6] + b"\xff\xfe").hex()},
        {"name": "FAULT too long", "type": 9, "bytes": (payload["FAULT"][1][:6] + b"x" * 49).hex()},
        {"name": "ACCEPTED too long", "type": 11, "bytes": (payload["ACCEPTED"][1][:6] + b"x" * 33).hex()},
    ]
    doc = {
        "journal": JOURNAL.hex(), "blocks": good, "refused": bad, "not_understood": later, "payloads": payloads,
        "payloads_refused": bad_payloads,
    }  # fmt: skip
    (Path(__file__).parent / "blocks.json").write_text(json.dumps(doc, indent=1) + "\n")


if __name__ == "__main__":
    main()
