"""Nearly right bytes to every decoder; argv: seed, cases. Runs on both runtimes and prints one line of counts.

A decoder may accept, or raise RemoteError; anything else is undeclared and is printed with its seed.
"""

import random
import struct
import sys
from binascii import crc32

from crs_core import calibration, context, keys, settings
from crs_core.errors import RemoteError
from crs_core.grade import alarm_state, grader, grader_state, rerun, rules
from crs_core.journal import (
    block_layout,
    block_reader,
    block_writer,
    record_bounds,
    record_layout,
    record_reader,
    record_types,
    record_writer,
)
from crs_core.units import Reading
from crs_core.wire import fragment, frame, hello, message, message_bounds, parts, session
from crs_core.wire.session_device import DeviceSession
from crs_core.wire.session_host import HostSession
from crs_device.link.ble import bonds

from tools.lab.fuzz.extremes import WIDTHS, below, field, integer, mutated, noise, pick, text
from tools.rig import codec1_writer

JOURNAL_ID = b"JOURNAL1"
KEY = keys.Key(42, 1, bytes(range(32)), "ward")
STATES = [
    grader_state.encode_state(grader_state.new_state(), 1000),
    alarm_state.encode_state(alarm_state.new_state(), 1000),
    bytes(alarm_state.INPUTS_SIZE),
]
CONTEXT = context.encode(300000, b"\x11" * 8, {1: 3860, 2: 2, 3: None, 12: 9})
KEY_FILE = keys.encode(b"DEVICE01", [KEY, keys.Key(43, 2, bytes(32), "x")])
SETTINGS = b"site=oral\npatient_call_number=+49 30\nemergency_number=112\nreading_interval_s=5\n"
CALIBRATION = (
    "date=2026-11-20;spo2=15958,-346597,1126899;spo2_n=120;spo2_arms=187;temp=-5;temp_n=24;temp_sd=4;by=b"
)
BONDS = bonds.encode([(1, b"a" * 7, b"b" * 60), (2, b"c" * 7, b"d" * 60)])


def reading(t_ms: int) -> Reading:
    """One reading with values that a codec can write."""
    values = [pick((None, 0, 1, 3700, 970, 65534, below(65535))) for _ in range(4)]
    return Reading(t_ms, *values, pick((0x401, below(65536))))


def blocks() -> bytes:
    """A sound block of either kind and any codec."""
    t_ms = integer(6) % (block_layout.T_LIMIT - (1 << 20))
    if below(3) == 0:
        rows = [(t_ms + i, below(256), noise(below(30))) for i in range(1 + below(9))]
        return block_writer.encode_events(JOURNAL_ID, 1 + integer(3), 1 + integer(3), rows, below(2))
    rows = [reading(t_ms + i * pick((10_000, 1, 0))) for i in range(pick((1, 2, 3, 60)))]
    if below(2):
        body = codec1_writer.encode(rows, rows[0].t_ms)
        return block_writer.seal(
            JOURNAL_ID,
            block_layout.KIND_READINGS,
            block_layout.CODEC_ROWS,
            0,
            len(rows),
            1,
            1,
            rows[0].t_ms,
            body,
        )
    return block_writer.encode_readings(JOURNAL_ID, 1, 1, rows, below(2))


def sealed_again(data: bytes) -> bytes:
    """The block with a length and a CRC that hold, so that its body is looked at."""
    if len(data) < block_layout.OVERHEAD + 1:
        return data
    out = bytearray(data)
    out[0], out[1] = block_layout.MAGIC, 0x10 | out[1] & 15
    out[4:6] = struct.pack("<H", len(out) - block_layout.OVERHEAD)
    head = bytes(out[:-4])
    return head + struct.pack("<I", crc32(head, crc32(JOURNAL_ID)))


def f_block() -> None:
    header, rows = block_reader.decode(sealed_again(mutated(blocks())), JOURNAL_ID)
    if rows:
        record_bounds.check_block(header, rows, header.kind == block_layout.KIND_READINGS)


def f_split() -> None:
    block_reader.split(mutated(blocks() + blocks()))


def f_record() -> None:
    kind = below(20)
    if kind in record_layout.LAYOUTS:
        payload = record_writer.write(
            kind, *[field(letter, STATES) for letter in record_layout.LAYOUTS[kind]]
        )
        payload = payload if below(2) else mutated(payload)
    else:
        payload = noise(below(40))
    record = record_reader.decode(kind, payload)
    if record is not None:
        assert record_types.encode(record) == payload
        record_bounds.check_record(kind, record)


def messages() -> bytes:
    """A message whose fields fit their layout, or nearly."""
    number = pick(sorted(message.LAYOUTS))
    out = bytes([number])
    for letter in message.LAYOUTS[number][1]:
        if letter in "hg":
            out += noise(2 if letter == "h" else 1)
        elif letter in WIDTHS:
            out += integer(WIDTHS[letter]).to_bytes(WIDTHS[letter], "little")
        elif letter == "D":
            out += noise(8)
        elif letter in "tw":
            out += text(40).encode()
        elif letter == "x":
            out += noise(below(60))
        else:
            count = pick((0, 1, 2, 255))
            out += bytes([count]) + noise(count * {"p": 2, "c": 5, "k": 6}[letter])
    return out if below(2) else mutated(out)


def f_message() -> None:
    data = messages()
    decoded = message.decode(data)
    assert message.encode(decoded) == data
    message_bounds.check_message(decoded)


def f_context() -> None:
    data = mutated(CONTEXT)
    assert context.encode(*context.decode(data)) == data


def f_keys() -> None:
    data = mutated(KEY_FILE)
    assert keys.encode(*keys.decode(data)) == data


def odd_digit(line: str) -> str:
    """One digit replaced by what some runtime takes for a digit."""
    return line.replace(pick("0123456789"), pick(("\u00b2", "\u0663", "\u2460", "+1", "1_0", " 7")), 1)


def f_settings() -> None:
    data = SETTINGS if below(2) else odd_digit(str(SETTINGS, "utf-8")).encode()
    settings.decode(data if below(4) == 0 else mutated(data), bool(below(2)))


def f_calibration() -> None:
    if below(4) == 0:
        calibration.parse(odd_digit(CALIBRATION))
        return
    try:
        line = str(mutated(CALIBRATION.encode()), "utf-8")
    except (UnicodeError, ValueError):
        return
    calibration.parse(line)


def f_bonds() -> None:
    bonds.decode(mutated(BONDS) or b"\1")


def f_grader_state() -> None:
    state = grader_state.decode_state(mutated(STATES[0]), 10**6)
    grader.step(state, reading(10**6 + 10_000), 10**6 + 10_000, rules.DEFAULT)


def f_alarm_step() -> None:
    before, inputs = pick((STATES[1], mutated(STATES[1]))), pick((mutated(STATES[2]), noise(len(STATES[2]))))
    rerun.alarm_step(before, inputs, 10**6, rules.DEFAULT)


def f_parts() -> None:
    JOINER.add(below(4), below(5), noise(below(300)))


def f_frame() -> None:
    decoder, line = pick(FRAMES), frame.encode(noise(1 + below(150)), bool(below(2)))
    decoder.feed(mutated(line) if below(3) else line)
    if below(50) == 0:
        decoder.flush()


def f_fragment() -> None:
    assembler = pick(ASSEMBLERS)
    for piece in fragment.split(noise(1 + below(300)), 20 + below(40), below(64)):
        assembler.feed(mutated(piece) if below(4) == 0 else piece)


def f_hello() -> None:
    hello.decode_hello(mutated(b"CWHL" + noise(44)))


def f_refuse() -> None:
    hello.decode_refuse(mutated(b"CWRF\1\1\1"))


def f_session() -> None:
    """Both sides through HELLO, PROOF and messages, with some of it spoiled on the way."""
    to_device = [HOST.seal(message.Ping(5))] if HOST.is_open and below(3) else [HOST.start()]
    for _ in range(6):
        to_host = []
        for data in to_device:
            spoiled = mutated(data) if below(6) == 0 else data
            to_host += [e.data for e in DEVICE.receive(spoiled) if isinstance(e, session.Send)]
        if DEVICE.is_open and below(2):
            to_host.append(DEVICE.seal(message.Pong(1)))
        to_device = []
        for data in to_host:
            spoiled = mutated(data) if below(6) == 0 else data
            to_device += [e.data for e in HOST.receive(spoiled) if isinstance(e, session.Send)]
        if not to_device:
            break
    if below(200) == 0:
        DEVICE.link_lost()
        HOST.link_lost()


JOINER = parts.PartJoiner(2048)
FRAMES = [frame.Decoder(124), frame.Decoder(4109)]
ASSEMBLERS = [fragment.Assembler(124), fragment.Assembler(4109)]
DEVICE = DeviceSession(b"D" * 8, JOURNAL_ID, [KEY], noise)
HOST = HostSession(KEY, noise, b"D" * 8)
# a session costs as much as a hundred of the others
TARGETS = (
    f_block, f_split, f_record, f_message, f_context, f_keys, f_settings, f_calibration, f_bonds, f_grader_state,
    f_alarm_step, f_parts, f_frame, f_fragment, f_hello, f_refuse, f_block, f_record, f_message, f_record, f_message,
)  # fmt: skip


def main(seed: int, cases: int) -> int:
    """Run so many cases; returns how many exceptions were undeclared."""
    random.seed(seed)
    accepted = refused = undeclared = 0
    for case in range(cases):
        target = f_session if case % 100 == 0 else TARGETS[case % len(TARGETS)]
        try:
            target()
            accepted += 1
        except RemoteError:
            refused += 1
        except Exception as error:
            undeclared += 1
            print("undeclared:", case, target, type(error), error)
            if undeclared == 1 and hasattr(sys, "print_exception"):
                sys.print_exception(error)
    counts = f"{cases} cases, {accepted} accepted, {refused} refused, {undeclared} undeclared"
    print(f"decoders on {sys.implementation.name}, seed {seed}: {counts}")
    return undeclared


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1]), int(sys.argv[2])) else 0)
