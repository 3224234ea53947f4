"""The checks of tests/vectors for the wire, without pytest, so that the same lines run on MicroPython and CPython.

Each `check_*` yields nothing and raises AssertionError with the vector's name; `run_all(folder)` returns how many
checks ran.
"""

import binascii
import json
from collections import namedtuple

from crs_core.compat import aes_ecb
from crs_core.errors import LocalError, RemoteError
from crs_core.wire import crypto, frame, hello, message, sealed, session
from crs_core.wire.session_device import DeviceSession
from crs_core.wire.session_host import HostSession

Key = namedtuple("Key", ("key_id", "role", "key", "name"))
GARBAGE = b"\x00\xff\x01~\x7d\x7d~\x03"  # text, a spoiled candidate of one escape, text


def unhex(text):
    return binascii.unhexlify(text)


def load(folder, name):
    with open(folder + "/" + name + ".json") as file:  # noqa: PTH123 MicroPython has no pathlib
        return json.load(file)


def joined(found):
    """Decoder output with neighbouring texts joined: where the stream was cut must not matter."""
    out = []
    for kind, data in found:
        if kind == "text" and out and out[-1][0] == "text":
            out[-1] = ("text", out[-1][1] + data)
        else:
            out.append((kind, data))
    return out


def frames_only(found):
    return [data for kind, data in found if kind == "frame"]


def check_frame_encode(case):
    wire = frame.encode(unhex(case["payload"]), case["to_device"])
    assert wire == unhex(case["wire"]), case["payload"]
    if case["to_device"]:
        assert min(wire) >= 0x20, "a control byte stands on the line to the device"


def check_frame_decode(case):
    """Whole, byte by byte, in threes, and with garbage around."""
    stream = unhex(case["stream"])
    expect = joined([(kind, unhex(data)) for kind, data in case["expect"]])
    for step in (len(stream), 1, 3):
        decoder = frame.Decoder(case["max_payload"])
        found = []
        for at in range(0, len(stream), step):
            found.extend(decoder.feed(stream[at : at + step]))
        assert joined(found) == expect, (case["name"], step, found)
        for name, value in decoder.counters().items():
            assert value == case["counters"].get(name, 0), (case["name"], step, name, value)
    decoder = frame.Decoder(case["max_payload"])
    found = decoder.feed(GARBAGE) + decoder.feed(b"~" + stream + b"~") + decoder.feed(GARBAGE)
    first = frames_only(expect)
    assert frames_only(found)[: len(first)] == first, (case["name"], "garbage", found)
    assert decoder.feed(frame.encode(b"after", False))[-1:] == [("frame", b"after")], (
        case["name"],
        "after garbage",
    )


def plain(value):
    """A decoded value as JSON shows it."""
    if isinstance(value, (bytes, bytearray)):
        return "hex:" + binascii.hexlify(value).decode()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def real(value):
    """A JSON value as `encode` takes it."""
    if isinstance(value, str) and value.startswith("hex:"):
        return unhex(value[4:])
    if isinstance(value, list):
        return [tuple(item) for item in value]
    return value


def check_message(case):
    wire = unhex(case["hex"])
    decoded = message.decode(wire)
    cls = getattr(message, case["name"])
    assert isinstance(decoded, cls), case["name"]
    assert plain(decoded) == case["fields"], (case["name"], decoded)
    assert message.encode(decoded) == wire, case["name"]
    assert message.encode(cls(*[real(value) for value in case["fields"]])) == wire, case["name"]


def check_refused_message(case):
    try:
        decoded = message.decode(unhex(case["hex"]))
    except RemoteError as error:
        assert len(error.args[0]) > 8, case["name"]
    else:
        raise AssertionError((case["name"], decoded))


def check_crypto(vectors):
    for case in vectors["hmac"]:
        assert crypto.Hmac(unhex(case["key"])).digest(unhex(case["data"])) == unhex(case["code"]), case[
            "source"
        ]
    for case in vectors["hkdf"]:
        okm = unhex(case["okm"])
        found = crypto.hkdf(unhex(case["key"]), unhex(case["salt"]), unhex(case["info"]), len(okm))
        assert found == okm, case["source"]
    for case in vectors["aes_ecb"]:
        assert aes_ecb(unhex(case["key"])).encrypt(unhex(case["data"])) == unhex(case["code"]), case["source"]


def once(nonce):
    """A source that gives `nonce` and must not be asked for more."""
    left = [nonce]

    def random_bytes(size):
        assert size == 16
        return left.pop()

    return random_bytes


def make_pair(v):
    key = Key(v["key_id"], 1, unhex(v["key"]), "bed 3")
    host = HostSession(key, once(unhex(v["host_nonce"])), unhex(v["device_id"]))
    device = DeviceSession(
        unhex(v["device_id"]), unhex(v["journal_id"]), [key], once(unhex(v["device_nonce"]))
    )
    return host, device


def framed(v, name, to_device):
    return frame.encode(unhex(v[name]), to_device)


def sent(events):
    return b"".join([event.data for event in events if isinstance(event, session.Send)])


def check_session(v):
    """Every byte of a whole session: both HELLOs, both PROOFs, then sealed messages both ways."""
    host, device = make_pair(v)
    assert host.start() == framed(v, "host_hello", True)
    answer = sent(device.receive(framed(v, "host_hello", True)))
    assert answer == framed(v, "device_hello", False)
    proof = sent(host.receive(answer))
    assert proof == framed(v, "host_proof", True)
    events = device.receive(proof)
    assert sent(events) == framed(v, "device_proof", False)
    assert isinstance(events[-1], session.Opened) and events[-1].key.key_id == v["key_id"]
    events = host.receive(sent(events))
    assert isinstance(events[0], session.Opened) and events[0].peer.journal_id == unhex(v["journal_id"])
    assert host.state == device.state == "open"
    keys = hello.session_keys(unhex(v["key"]), unhex(v["host_hello"]), unhex(v["device_hello"]))
    assert b"".join(keys) == unhex(v["session_keys"])
    for sender, receiver, direction in ((device, host, "to_host"), (host, device, "to_device")):
        for case in v[direction]:
            expected = message.decode(unhex(case["plaintext"]))
            wire = sender.seal(expected)
            assert wire == unhex(case["wire"]), direction
            events = receiver.receive(wire)
            if isinstance(expected, message.Bye):
                assert events == [session.Closed(expected.reason)]
            else:
                assert events == [session.Received(expected)], direction
    assert device.state == "idle"
    assert not any(device.counters().values()), device.counters()


def check_sealed(v):
    """The largest counter, replay, reflection and every bit flipped, below the session."""
    keys = hello.session_keys(unhex(v["key"]), unhex(v["host_hello"]), unhex(v["device_hello"]))
    sealer = sealed.Sealer(keys.h2d_encrypt, keys.h2d_auth, sealed.TAG_TO_DEVICE)
    sealer.counter = 0xFFFFFFFE
    last = sealer.seal(b"\x1c")
    assert last == unhex(v["last_counter_sealed"])
    try:
        sealer.seal(b"\x1c")
    except LocalError:
        pass
    else:
        raise AssertionError("the counter wrapped")
    opener = sealed.Opener(keys.h2d_encrypt, keys.h2d_auth, sealed.TAG_TO_DEVICE)
    first, second = [unhex(case["sealed"]) for case in v["to_device"][:2]]
    for at in range(len(first) * 8):
        bad = bytearray(first)
        bad[at >> 3] ^= 1 << (at & 7)
        assert opener.open(bytes(bad)) is None, at
    assert opener.bad_mac + opener.reflected == len(first) * 8 and opener.reflected == 8
    for size in range(len(first)):
        assert opener.open(first[:size]) is None, size
    assert opener.open(second) == unhex(v["to_device"][1]["plaintext"]) and opener.missed == 1
    assert opener.open(first) is None and opener.open(second) is None and opener.replayed == 2
    assert opener.open(last) == b"\x1c" and opener.missed == 1 + 0xFFFFFFFE - 2
    assert opener.open(unhex(v["to_host"][0]["sealed"])) is None and opener.reflected >= 9


def check_refusals(v):
    """Other versions, an unknown key and a wrong one: each side says so, in the bytes of the vector."""
    key = unhex(v["key"])
    _, device = make_pair(v)
    events = device.receive(framed(v, "host_hello_of_version_2", True))
    assert sent(events) == framed(v, "refuse_version", False)
    assert events[-1] == session.Refused(hello.REFUSE_VERSION, 2, 3)
    events = device.receive(framed(v, "host_hello_of_versions_0_to_9", True))
    assert sent(events) == framed(v, "device_hello", False)  # 1 is in common: a newer host is not turned away
    host, _ = make_pair(v)
    host.start()
    assert host.receive(framed(v, "device_hello_of_version_2", False)) == [
        session.Refused(hello.REFUSE_VERSION, 2, 3)
    ]
    assert host.receive(framed(v, "refuse_version", False)) == [session.Refused(hello.REFUSE_VERSION, 1, 1)]
    _, device = make_pair(v)
    device.set_keys([Key(v["key_id"] + 1, 1, key, "other")])
    assert sent(device.receive(framed(v, "host_hello", True))) == framed(v, "refuse_key", False)
    _, device = make_pair(v)
    device.set_keys([Key(v["key_id"], 1, bytes(32), "same id, other key")])
    device.receive(framed(v, "host_hello", True))
    events = device.receive(framed(v, "host_proof", True))
    assert sent(events) == framed(v, "refuse_proof", False)
    assert device.state == "idle" and device.counters()["refused_proof"] == 1


def run_all(folder):
    count = 0
    vectors = load(folder, "frames")
    for case in vectors["encode"]:
        check_frame_encode(case)
        count += 1
    for case in vectors["decode"]:
        check_frame_decode(case)
        count += 1
    vectors = load(folder, "messages")
    for case in vectors["good"]:
        check_message(case)
        count += 1
    for case in vectors["refused"]:
        check_refused_message(case)
        count += 1
    check_crypto(load(folder, "crypto"))
    vectors = load(folder, "sessions")
    check_session(vectors)
    check_sealed(vectors)
    check_refusals(vectors)
    return count + 4
