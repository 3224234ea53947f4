"""PROTOCOL.md says what the code does: every fenced example is decoded by the real decoders, every table compared."""

import hashlib
import re
from functools import partial

import pytest
from crs_core import code_texts, codes, context, keys
from crs_core.journal import (
    block_layout,
    block_reader,
    block_writer,
    record_layout,
    record_reader,
    record_types,
)
from crs_core.wire import fragment, frame, gatt_uuids, hello, message, rights, sealed, session
from crs_device.alarm import attention
from crs_device.link import keys_room, requests, requests_on_demand
from crs_device.link.ble import advertising

from host_agent.link import advertised
from tools.dev import session_diagram
from tools.rig import codec1_writer
from tools.rig.micropython import ROOT

PAGE = (ROOT / "firmware" / "crs_core" / "PROTOCOL.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```example (\w+)(?: (\d+))?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def split(body):
    """(bytes of the hex lines as a list, what the example says after '= ')."""
    lines = body.splitlines()
    return [bytes.fromhex(line) for line in lines if line[0] != "=" and ":" not in line], [
        line[2:] for line in lines if line.startswith("= ")
    ]


def check_frame(body, _):
    stream, said = split(body)
    decoder = frame.Decoder(300)
    found = [f"{kind} {data.hex(' ')}" for kind, data in decoder.feed(b"".join(stream))]
    found += [f"{name} {n}" for name, n in decoder.counters().items() if n and name != "text_bytes"]
    assert found == said


def check_fragments(body, _):
    pieces, said = split(body)
    assembler = fragment.Assembler(100)
    results = [assembler.feed(piece) for piece in pieces]
    assert results[-1] == bytes.fromhex(said[0]) and not any(results[:-1])
    assert fragment.split(results[-1], len(pieces[0]), pieces[0][0] & 0x3F) == pieces


def check_advertised(body, _):
    (data, response), (said,) = split(body)
    part = {
        name: bytes.fromhex(value)
        for name, value in re.findall(r"(address|salt|free) ((?:[0-9a-f]{2} ?)+)", said)
    }
    flags, keys = int(said.split()[-1]), [bytes(range(32)), bytes(range(32, 64))]
    random_bytes = {len(part[name]): part[name] for name in ("salt", "free")}.__getitem__
    assert advertising.advertisement(flags, part["address"], keys, random_bytes) == data
    assert advertising.scan_response() == response
    found = advertised.decode(data[7:])
    assert found.flags == flags and found.only_comes_from(part["address"].hex(":"))
    assert [found.is_of(b"", key) for key in (*keys, bytes(32))] == [True, True, False]


def check_advertised_1(body, _):
    (data,), (said,) = split(body)
    device_id, flags = bytes.fromhex(said[7:30]), int(said.split()[-1])
    found = advertised.decode(data)
    assert found.flags == flags and found.is_of(device_id, b"") and not found.is_of(bytes(8), b"")
    assert found.may_come_from("AA:BB:CC:00:00:01") and not found.only_comes_from("AA:BB:CC:00:00:01")


def test_the_radios_uuids_and_the_pairing_number_are_those_of_the_page():
    for uuid in (gatt_uuids.SERVICE, gatt_uuids.DOORBELL, gatt_uuids.OUT, gatt_uuids.IN):
        assert f"`{uuid}`" in PAGE
    number = gatt_uuids.passkey(bytes(range(32)), bytes.fromhex("0123456789abcdef"))
    assert f"journal `01 23 45 67 89 ab cd ef`: {number:06d}." in PAGE


def check_session(body, _):
    said = {name: bytes.fromhex(value) for name, value in (line.split(": ") for line in body.splitlines())}
    key, host_hello, device_hello = said["key"], said["host hello"], said["device hello"]
    assert hello.verify_proof(said["host proof"], key, hello.ROLE_HOST, host_hello, device_hello)
    assert hello.verify_proof(said["device proof"], key, hello.ROLE_DEVICE, host_hello, device_hello)
    four = hello.session_keys(key, host_hello, device_hello)
    assert b"".join(four) == said["session keys"]
    opener = sealed.Opener(four.h2d_encrypt, four.h2d_auth, sealed.TAG_TO_DEVICE)
    plaintext = opener.open(said["sealed"])
    assert plaintext == said["second plaintext to the device"] and opener.missed == 1
    assert message.decode(plaintext) == message.Ping(5)
    assert frame.Decoder(200).feed(said["on the line"]) == [("frame", said["sealed"])]
    assert frame.encode(said["sealed"], True) == said["on the line"]


def check_block(body, _):
    raw, said = split(body)
    journal_id = bytes.fromhex(re.match("journal: (.*)", body)[1])
    header, rows = block_reader.decode(b"".join(raw), journal_id)
    assert [repr(header), *map(repr, rows)] == said
    assert not block_layout.verify(b"".join(raw), b"another!")
    encode = {
        (block_layout.KIND_READINGS, block_layout.CODEC_COLUMNS): block_writer.encode_readings,
        (block_layout.KIND_READINGS, block_layout.CODEC_ROWS): codec1_writer.encode_readings,
        (block_layout.KIND_EVENTS, block_layout.CODEC_TLV): block_writer.encode_events,
    }[header.kind, header.codec]
    assert encode(journal_id, header.boot, header.first_seq, rows, header.flags) == b"".join(raw)


# kind of example: (reader of its bytes, what writes the same bytes again)
BOTH_WAYS = {
    "hello": (hello.decode_hello, hello.encode_hello),
    "message": (message.decode, message.encode),
    "keys": (keys.decode, lambda found: keys.encode(*found)),
    "context": (context.decode, lambda found: context.encode(*found)),
    "record": (record_reader.decode, record_types.encode),
}


def check_both_ways(kind, body, number):
    raw, said = split(body)
    decode, encode = BOTH_WAYS[kind]
    decoded = decode(int(number), b"".join(raw)) if number else decode(b"".join(raw))
    assert [repr(decoded)] == said
    assert encode(decoded) == b"".join(raw)


CHECKS = {kind: partial(check_both_ways, kind) for kind in BOTH_WAYS}
CHECKS |= {
    "frame": check_frame, "fragments": check_fragments, "advertised": check_advertised,
    "advertised_1": check_advertised_1, "session": check_session,
    "block": check_block,
}  # fmt: skip


@pytest.mark.parametrize("example", [pytest.param(e, id=f"{i}-{e[0]}{e[1]}") for i, e in enumerate(EXAMPLES)])
def test_example(example):
    kind, number, body = example
    CHECKS[kind](body, number)


def test_every_kind_of_example_is_there_and_none_is_unread():
    assert {kind for kind, _, _ in EXAMPLES} == set(CHECKS)
    generated = session_diagram.section().count("```mermaid\n")
    assert len(EXAMPLES) + generated == PAGE.count("```") // 2, "a fenced block that no test reads"


def test_the_parts_of_a_body_of_codec_2_are_its_bits():
    body = next(body for kind, _, body in EXAMPLES if kind == "block" and "codec=2" in body)
    data = b"".join(split(body)[0])
    said = PAGE.split("| part | bits of the body |", 1)[1].split("\n\n", 1)[0]
    bits = "".join(re.findall("`(.*?)`", said)).replace(" ", "")
    assert int(bits, 2).to_bytes(len(bits) // 8, "big") == data[block_layout.HEADER_LEN : -4]


def table(section):
    """Rows of the only table of a section that starts with a number."""
    text = PAGE.split(f"## {section}", 1)[1].split("\n## ", 1)[0]
    return [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in re.findall(r"^\| (?:0x|\d).*", text, re.M)
    ]


def test_the_table_of_rights_is_the_codes():
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.*) \|$", PAGE, re.MULTILINE)
    assert [(name, int(value)) for name, value, _ in rows] == [
        (name, right) for right, (name, _) in code_texts.RIGHTS.items()
    ]
    for _, value, needing in rows:
        always = re.findall(r"[A-Z]\w+", needing.split(";")[0])
        assert set(always) == {cls.__name__ for cls, right in rights.NEEDED.items() if right == int(value)}
        asks = re.findall(r"[A-Z]\w+", needing.partition(";")[2])
        asked = (message.Settings(0, 0, 1, b""), message.Keys(0, 0))
        assert asks == [type(one).__name__ for one in asked if rights.needed(one) == int(value)]


def test_the_limits_of_the_page_are_the_codes():
    said = [
        int(n)
        for n in re.findall(r"cost (\d+),.*?op 0\) (\d+),.*?has (\d+) to\s.*?up to (\d+)", PAGE, re.DOTALL)[0]
    ]
    assert said == [requests._JOURNALED, requests._LOOKED_UP, requests._AT_START, requests._FULL]
    assert keys_room._EACH_BYTES * 16 == 16 * 1024 and "(64 in 1 MiB, 4 in 64 KiB)" in PAGE
    lapses = [attention.ACCEPT_LAPSE_HIGH_MS, attention.ACCEPT_LAPSE_MS, attention.SOUND_AGAIN_MS]
    assert lapses == [600_000, 1_800_000, 30_000] and "at least 30 s" in PAGE
    assert requests_on_demand._BOUND_MAX_MS == 86_400_000 and "above one day" in PAGE


def test_the_nonce_of_the_page_is_the_codes():
    mixed = b"cw nonce" + bytes(16) + (7).to_bytes(8, "little") + (1).to_bytes(8, "little")
    assert hello.nonce(bytes(16), 7, 1) == hashlib.sha256(mixed).digest()[:16]


def test_the_table_of_messages_is_the_codes():
    words = {
        "B": "u8", "H": "u16", "I": "u32", "Q": "u64", "T": "u48", "D": "8 bytes", "h": "u16+1", "g": "u8 or 255",
        "t": "text", "w": "text ≤ 32", "x": "bytes", "p": "pairs", "c": "counters", "k": "keys",
    }  # fmt: skip
    code = []
    for number in sorted(message.LAYOUTS):
        cls, letters = message.LAYOUTS[number]
        fields = zip(cls._fields, letters, strict=True)
        code.append([f"0x{number:02X}", cls.__name__, ", ".join(f"{name} {words[c]}" for name, c in fields)])
    assert table("5. Messages") == code


def test_the_table_of_records_is_the_codes():
    words = {
        "B": "u8", "H": "u16", "I": "u32", "T": "u48", "Q": "u64", "K": "8 bytes", "g": "u8 or 255",
        "a": "u32 or all ones", "t": "u48 or all ones", "s": "text, u8 length", "p": "bytes, u16 length",
        "l": "u8 list", "c": "pairs", "h": "counters", "x": "text to the end", "r": "bytes to the end",
    }  # fmt: skip
    code = []
    for number, (name, cls) in sorted(record_types.TYPES.items()):
        fields = zip(cls._fields, record_layout.LAYOUTS[number], strict=True)
        code.append([str(number), name, "; ".join(f"{field} {words[c]}" for field, c in fields)])
    assert table("9. Events") == code


def test_the_table_of_context_keys_is_the_codes():
    rows = [row[:3] for row in table("11. Context") if ".." in row[2]]
    assert rows == [
        [str(key), name, f"{low}..{high}"] for key, (name, low, high) in sorted(context.KEYS.items())
    ]


def numbers_in(pattern):
    """The numbers a sentence gives to words: 'reason 1 dropped, 2 unreadable'."""
    found = re.search(pattern, PAGE, re.DOTALL)
    assert found, pattern
    return {int(n) for n in re.findall(r"(?<![\w-])(\d+) [a-z]", found[1])}


def constants(module, prefix):
    return {
        value for name, value in vars(module).items() if name.startswith(prefix) and isinstance(value, int)
    }


def test_numbers_with_words_are_the_codes():
    assert numbers_in(r"\*\*BYE\*\* either way: (.*?)\.\n") == constants(message, "BYE_")
    assert numbers_in(r"by its type: code (.*?)\.\n") == constants(message, "RESULT_")
    assert {int(row[0]) for row in table("3. Opening") if row[1] and len(row) == 2} == constants(
        hello, "REFUSE_"
    )
    assert numbers_in(r"will never come:\s+reason (.*?)\. A host") == constants(codes, "GAP_")


def test_sizes_are_the_codes():
    assert f"HELLO, {hello.HELLO_BYTES} bytes" in PAGE
    assert f"({session.SERIAL_LARGEST_TO_DEVICE} of plaintext)" in PAGE
    assert f"+ {sealed.OVERHEAD_BYTES} bytes" in PAGE and f"1..{message.MAX_MESSAGE_BYTES} bytes" in PAGE
    assert f"waits at most {session.HANDSHAKE_DEADLINE_MS // 1000} s for the PROOF" in PAGE
    assert f"at most {block_layout.BLOCK_MAX} bytes" in PAGE
    whole = session.SERIAL_LARGEST_TO_DEVICE + sealed.OVERHEAD_BYTES
    worst_frame = 2 * (whole + 4) + 2
    assert f"at most {worst_frame} bytes even when" in PAGE
    assert len(frame.encode(bytes(whole), True)) <= worst_frame <= 260
