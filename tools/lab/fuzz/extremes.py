"""Draws what fits a field and is absurd: integer extremes, every enum code, every length. Runs on both runtimes."""

import random

WIDTHS = {"B": 1, "H": 2, "I": 4, "T": 6, "Q": 8}
NONES = {"g": "B", "a": "I", "t": "T"}
TEXTS = (
    "", "x", "site=axilla\n", "site\n", "site=", "=\n=\n", "a=b\n\x1b[2J", "=cmd()", "\u202e\u0000", "\U0010ffff" * 8,
    "date=2026-01-01;spo2=1,2,3;temp=99999999999999999999", "%s%n{0}", "'; DROP TABLE x;--", "reading_interval_s=0\n",
    "reading_interval_s=99999999999999999999\n", "reading_interval_s=\u00b2\n", "reading_interval_s=86400\n",
    "patient=\x00", "infusion_date=9999-99-99\n", "age_years=-1\n",
)  # fmt: skip


def below(n: int) -> int:
    """0 up to n, without n; 0 for n = 0."""
    return random.getrandbits(30) % n if n else 0


def pick(values):  # type: ignore[no-untyped-def]
    """One of them."""
    return values[below(len(values))]


def noise(size: int) -> bytes:
    """So many random bytes."""
    return bytes([random.getrandbits(8) for _ in range(size)])


def integer(width: int) -> int:
    """An integer of `width` bytes: half the time an extreme or the neighbour of one."""
    top = 1 << 8 * width
    if random.getrandbits(1):
        return pick((0, 1, 2, top - 1, top - 2, top // 2, top // 2 - 1, top // 2 + 1, top // 256 - 1))
    return int.from_bytes(noise(width), "little") >> below(8 * width)


def text(longest: int) -> str:
    """Text of at most so many bytes."""
    drawn = pick(TEXTS) * pick((1, 1, 1, 9))
    while len(drawn.encode()) > longest:
        drawn = drawn[: len(drawn) // 2]
    return drawn


def mutated(data: bytes) -> bytes:
    """The bytes with some flipped, cut, doubled or added."""
    out = bytearray(data)
    for _ in range(1 + below(4)):
        n, how = len(out), below(6)
        at = below(n)
        if not n or how == 4:
            out = out[:at] + noise(1 + below(8)) + out[at:]
        elif how == 0:
            out[at] ^= 1 << below(8)
        elif how == 1:
            out[at] = pick(b"\x00\xff\x7f\x80\x7e\x7d\x01\xfe")
        elif how == 2:
            out = out[:at]
        elif how == 3:
            out = out[:at] + out[at + 1 + below(4) :]
        else:
            out = out[:at] + out[at : at + below(20)] + out[at:]
    return bytes(out[:4095])


def field(letter: str, states: list[bytes]):  # type: ignore[no-untyped-def]
    """A value for one letter of record_layout.LAYOUTS; `states` are sound encoded states, to be spoiled."""
    if letter in NONES:
        width = WIDTHS[NONES[letter]]
        value = integer(width)
        return None if value == (1 << 8 * width) - 1 else value
    if letter in WIDTHS:
        # every code of a small vocabulary comes often
        return below(8) if letter == "B" and random.getrandbits(1) else integer(WIDTHS[letter])
    if letter == "K":
        return pick((bytes(8), b"\xff" * 8, noise(8)))
    if letter in "sx":
        return text(pick((0, 8, 32, 255)) if letter == "s" else 32)
    if letter in "pr":
        state = pick(states)
        return pick((state, state, mutated(state), noise(below(80)), b"", bytes(below(255))))
    length = pick((0, 1, 2, 9, 255))
    if letter == "l":
        return tuple([integer(1) for _ in range(length)])
    width = 1 if letter == "c" else 4
    return tuple([(integer(1), below(5) if letter == "c" else integer(width)) for _ in range(length)])
