"""Write frames.json, messages.json and sessions.json: `python tests/vectors/make_wire_vectors.py`.

The vectors are golden: no test runs this, and a change of the files means that the protocol changed. It shares no code
with crs_core: frames are stuffed byte by byte, HMAC and HKDF come from the standard library and `cryptography`, the
counter mode is that of `cryptography`. So an error here and the same error there is unlikely.
"""

import hashlib
import hmac
import json
import struct
import zlib
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HERE = Path(__file__).parent


def frame(payload: bytes, to_device: bool) -> bytes:
    out = bytearray([0x7E])
    for b in payload + struct.pack("<I", zlib.crc32(payload)):
        if b in (0x7D, 0x7E) or (to_device and b < 0x20):
            out += bytes([0x7D, b ^ 0x20])
        else:
            out.append(b)
    return bytes(out) + b"\x7e"


def frames() -> dict:
    every = bytes(range(256))
    hello = b"hello, wearable"
    good = frame(hello, False)
    other = frame(b"second", False)
    controls = b"\x01\x02\x03" * 8
    cases = []

    def case(name, stream, expect, max_payload=300, **counts):
        cases.append({
            "name": name, "max_payload": max_payload, "stream": stream.hex(),
            "expect": [[kind, data.hex()] for kind, data in expect], "counters": counts,
        })  # fmt: skip

    case("one frame", good, [("frame", hello)])
    case("every byte to the device", frame(every, True), [("frame", every)])
    case("every byte to the host", frame(every, False), [("frame", every)])
    case("one byte", frame(b"\x7e", True), [("frame", b"\x7e")])
    case("two in a row", good + other, [("frame", hello), ("frame", b"second")])
    case("many flags between", good + b"\x7e" * 9 + other, [("frame", hello), ("frame", b"second")])
    case("one flag shared", good + other[1:],
         [("frame", hello), ("text", other[1:-1])], text_bytes=len(other) - 2)  # fmt: skip
    around = [("text", b">>> "), ("frame", hello), ("text", b"\r\nMemoryError: \r\n"), ("frame", b"second")]
    case("text around", b">>> " + good + b"\r\nMemoryError: \r\n" + other, around, text_bytes=21)
    binary = frame(controls, False)
    flipped = bytearray(binary)
    flipped[3] ^= 0x04
    case("one bit flipped", bytes(flipped) + other, [("frame", b"second")], bad_crc=1)
    torn = binary[: len(binary) // 2]
    case("torn, then whole", torn + binary, [("frame", controls)], bad_crc=1)
    case("torn, and the next one's opening flag lost", torn + binary[1:], [], bad_crc=1)
    case("spoiled by its closing flag only", binary[:-1] + b"\x00" + other, [("frame", b"second")], bad_crc=1)
    case("escape before a flag", b"\x7e" + controls + b"\x7d" + other, [("frame", b"second")], bad_escape=1)
    case("two escapes", b"\x7e" + controls + b"\x7d\x7d\x5d" + other, [("frame", b"second")], bad_escape=1)
    case("only a checksum", b"\x7e\x00\x00\x00\x00" + other, [("frame", b"second")], too_short=1)
    case("largest", frame(b"\x7d" * 300, False), [("frame", b"\x7d" * 300)])
    case("one too large", frame(b"\x00" * 301, False) + other, [("frame", b"second")], oversize=1)
    case("far too large", frame(b"\x00" * 2000, False) + other, [("frame", b"second")], oversize=1)
    case("a tilde in text", b"cost ~3 \r\n" + good,
         [("text", b"cost "), ("text", b"3 \r\n"), ("frame", hello)], too_short=1, text_bytes=9)  # fmt: skip
    case("traceback in a torn frame", torn[:1] + b"Traceback (most recent call last):\r\n" + good,
         [("text", b"Traceback (most recent call last):\r\n"), ("frame", hello)], bad_crc=1, text_bytes=36)  # fmt: skip
    encode = [
        {"payload": p.hex(), "to_device": d, "wire": frame(p, d).hex()}
        for p in (b"\x00", b"~}", hello, every, bytes(124))
        for d in (True, False)
    ]
    return {"encode": encode, "decode": cases}


def u(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little")


def messages() -> dict:
    ident = bytes(range(0xA0, 0xA8))
    t = 0x0102030405
    pairs = [[3, 3], [7, 2]]
    counters = [[1, 0], [9, 0xFFFFFFFF]]
    good = [
        ("ReadFrom", [1, 8, 480], b"\x10" + u(1, 4) + u(8, 2) + u(480, 2)),
        ("Ack", [70000, 12], b"\x11" + u(70000, 4) + u(12, 4)),
        ("Time", [1_795_000_000_123, 25], b"\x12" + u(1_795_000_000_123, 8) + u(25, 4)),
        ("Settings", [1, 0, 1, "hex:" + b"site=axilla\n".hex()], b"\x13\x01\x00\x01site=axilla\n"),
        ("Settings", [0, 0, 1, "hex:"], b"\x13\x00\x00\x01"),
        ("Context", [0, 2, "hex:00ff"], b"\x14\x00\x02\x00\xff"),
        ("Bind", [1, "hex:" + ident.hex(), 0, 1, "hex:" + b"age=41\n".hex()],
         b"\x15\x01" + ident + b"\x00\x01age=41\n"),
        ("AlarmAccept", [3, 3, "Zoë"], b"\x16\x03\x03Zo\xc3\xab"),
        ("SelfTest", [0], b"\x17\x00"),
        ("Maintenance", [1, 1800], b"\x18\x01" + u(1800, 2)),
        ("Ping", [0xDEADBEEF], b"\x19\xef\xbe\xad\xde"),
        ("Bye", [1], b"\x1a\x01"),
        ("Keys", [1, 42], b"\x1b\x01" + u(42, 4)),
        ("StatusAsk", [], b"\x1c"),
        ("Pause", [1, 2, 1200], b"\x1d\x01\x02" + u(1200, 2)),
        ("Block", ["hex:c511"], b"\x20\xc5\x11"),
        ("Gap", [5, 4000, 1], b"\x21" + u(5, 4) + u(4000, 4) + b"\x01"),
        ("Live", [t, 3860, 880, 118, 52, 0x0401, 3, 1, 4, pairs],
         b"\x22" + u(t, 6) + u(3861, 2) + u(881, 2) + u(119, 2) + u(53, 2) + u(0x0401, 2)
         + b"\x03\x01\x04\x02\x03\x03\x07\x02"),
        ("Live", [0, None, None, None, None, 0x80, 0, None, None, []],
         b"\x22" + bytes(6) + bytes(8) + u(0x80, 2) + b"\x00\xff\xff\x00"),
        ("Alarm", [0, t, pairs], b"\x23" + bytes(4) + u(t, 6) + b"\x02\x03\x03\x07\x02"),
        ("StatusIs", [3, t, 500, 400, 2, 3, 3900, 120000, "hex:" + ident.hex(), counters],
         b"\x24" + u(3, 4) + u(t, 6) + u(500, 4) + u(400, 4) + u(2, 2) + u(3, 2) + u(3900, 2) + u(120000, 4) + ident
         + b"\x02\x01" + u(0, 4) + b"\x09" + u(0xFFFFFFFF, 4)),
        ("Pong", [0xDEADBEEF], b"\x25\xef\xbe\xad\xde"),
        ("Result", [0x15, 7, "38 records left"], b"\x26\x15\x0738 records left"),
        ("SettingsIs", [2, "hex:" + b"unit=C\n".hex()], b"\x27\x02\x00unit=C\n"),
        ("CaughtUp", [500], b"\x28" + u(500, 4)),
        ("TimeIs", [1_795_000_000_123, 3, t], b"\x29" + u(1_795_000_000_123, 8) + u(3, 4) + u(t, 6)),
        ("KeysIs", [[[42, 1, "bed 3"], [43, 2, ""]]],
         b"\x2a\x02" + u(42, 4) + b"\x01\x05bed 3" + u(43, 4) + b"\x02\x00"),
        ("SelfTestIs", ["{}"], b"\x2b{}"),
        ("Unknown", [0x7F, "hex:0102"], b"\x7f\x01\x02"),
        ("Unknown", [0, "hex:"], b"\x00"),
        ("NobodyReached", [3], b"\x1e\x03"),
    ]  # fmt: skip
    refused = [
        ("empty", b""),
        ("ReadFrom one byte early", good[0][2][:-1]),
        ("ReadFrom one byte late", good[0][2] + b"\x00"),
        ("Live without its count", good[16][2][:-5]),
        ("Live with a pair too few", good[16][2][:-1]),
        ("Alarm that counts 255 and brings two", b"\x23" + bytes(10) + b"\xff\x03\x03\x07\x02"),
        ("AlarmAccept with 33 bytes of name", b"\x16\x03\x03" + b"x" * 33),
        ("AlarmAccept not UTF-8", b"\x16\x03\x03\xff\xfe"),
        ("AlarmAccept with an overlong slash", b"\x16\x03\x03\xc0\xaf"),
        ("AlarmAccept with a surrogate", b"\x16\x03\x03\xed\xa0\x80"),
        ("Result cut in a character", b"\x26\x15\x07\xc3"),
        ("KeysIs with a name past the end", b"\x2a\x01" + u(42, 4) + b"\x01\x05bed"),
        ("Bind with a short id", b"\x15\x01" + ident[:7]),
        ("StatusAsk with a body", b"\x1c\x00"),
    ]
    return {
        "good": [{"name": n, "fields": f, "hex": h.hex()} for n, f, h in good],
        "refused": [{"name": n, "hex": h.hex()} for n, h in refused],
    }


def mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def seal(encrypt: bytes, auth: bytes, tag: int, counter: int, plaintext: bytes) -> bytes:
    first_block = u(counter, 4) + bytes([tag]) + bytes(7) + bytes(4)
    encryptor = Cipher(algorithms.AES(encrypt), modes.CTR(first_block)).encryptor()
    body = bytes([tag]) + u(counter, 4) + encryptor.update(plaintext) + encryptor.finalize()
    return body + mac(auth, body)[:8]


def sealed_case(encrypt: bytes, auth: bytes, tag: int, counter: int, plaintext: bytes) -> dict:
    sealed = seal(encrypt, auth, tag, counter, plaintext)
    return {"plaintext": plaintext.hex(), "sealed": sealed.hex(), "wire": frame(sealed, tag == 0xD1).hex()}


def sessions() -> dict:
    key = bytes((7 * i + 3) & 255 for i in range(32))
    key_id = 0x00C0FFEE
    device_id, journal_id = b"\x11" * 7 + b"\x7e", b"\x22" * 7 + b"\x03"
    nonce_h, nonce_d = bytes(range(16)), bytes(range(0x70, 0x80))
    hello_h = (
        b"CWHL" + bytes([1, 1]) + u(0, 2) + u(4096, 2) + bytes([2, 0]) + bytes(16) + u(key_id, 4) + nonce_h
    )
    hello_d = (
        b"CWHL" + bytes([1, 1]) + u(0, 2) + u(111, 2) + bytes([1, 0]) + device_id + journal_id + u(key_id, 4) + nonce_d
    )  # fmt: skip
    proof_h = b"CWPF\x02" + mac(key, b"cw proof\x02" + hello_h + hello_d)
    proof_d = b"CWPF\x01" + mac(key, b"cw proof\x01" + hello_h + hello_d)
    info = b"cw v1" + hashlib.sha256(hello_h + hello_d).digest()
    okm = HKDF(algorithm=hashes.SHA256(), length=64, salt=nonce_h + nonce_d, info=info).derive(key)
    h2d_encrypt, h2d_auth, d2h_encrypt, d2h_auth = okm[:16], okm[16:32], okm[32:48], okm[48:]
    to_device = [
        b"\x10" + u(1, 4) + u(4, 2) + u(480, 2),
        b"\x19" + u(5, 4),
        b"\x13\x00\x00\x01" + b"k" * 107,
        b"\x1a\x00",
    ]
    to_host = [
        b"\x25" + u(5, 4),
        b"\x20" + bytes(i & 255 for i in range(239)),
        b"\x20" + bytes(511),
        b"\x20" + bytes(512),
        b"\x20" + bytes((i * i) & 255 for i in range(4095)),
    ]
    return {
        "key_id": key_id, "key": key.hex(), "device_id": device_id.hex(), "journal_id": journal_id.hex(),
        "host_nonce": nonce_h.hex(), "device_nonce": nonce_d.hex(),
        "host_hello": hello_h.hex(), "device_hello": hello_d.hex(),
        "host_proof": proof_h.hex(), "device_proof": proof_d.hex(), "session_keys": okm.hex(),
        "to_device": [
            sealed_case(h2d_encrypt, h2d_auth, 0xD1, i, p) for i, p in enumerate(to_device)
        ],
        "to_host": [
            sealed_case(d2h_encrypt, d2h_auth, 0xD2, i, p) for i, p in enumerate(to_host)
        ],
        "last_counter_sealed": seal(h2d_encrypt, h2d_auth, 0xD1, 0xFFFFFFFE, b"\x1c").hex(),
        "refuse_version": (b"CWRF" + bytes([1, 1, 1])).hex(),
        "refuse_key": (b"CWRF" + bytes([2, 1, 1])).hex(),
        "refuse_proof": (b"CWRF" + bytes([3, 1, 1])).hex(),
        "host_hello_of_version_2": (hello_h[:4] + bytes([2, 3]) + hello_h[6:]).hex(),
        "device_hello_of_version_2": (hello_d[:4] + bytes([2, 3]) + hello_d[6:]).hex(),
        "host_hello_of_versions_0_to_9": (hello_h[:4] + bytes([0, 9]) + hello_h[6:]).hex(),
    }  # fmt: skip


def main() -> None:
    for name, content in (("frames", frames()), ("messages", messages()), ("sessions", sessions())):
        (HERE / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
