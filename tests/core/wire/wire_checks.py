"""The link: the golden vectors of tests/vectors, every byte. An AssertionError names the vector."""

import binascii
import json
from collections import namedtuple

from crs_core.compat import aes_ecb
from crs_core.errors import LocalError, RemoteError
from crs_core.wire import crypto, frame, hello, message, sealed, session
from crs_core.wire.session_device import DeviceSession
from crs_core.wire.session_host import HostSession

from tests.core.raising import raised

Key = namedtuple("Key", ("key_id", "role", "key", "name"))
GARBAGE = b"\x00\xff\x01~\x7d\x7d~\x03"  # text, a spoiled candidate of one escape, text


def unhex(text):
    return binascii.unhexlify(text)


def load(name):
    with open(__file__.rsplit("/", 3)[0] + "/vectors/" + name + ".json") as file:  # noqa: PTH123 MicroPython has no pathlib
        return json.load(file)


FRAMES, MESSAGES, CRYPTO, SESSIONS = load("frames"), load("messages"), load("crypto"), load("sessions")


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


def check_frames_encode():
    for case in FRAMES["encode"]:
        wire = frame.encode(unhex(case["payload"]), case["to_device"])
        assert wire == unhex(case["wire"]), case["payload"]
        if case["to_device"]:
            assert min(wire) >= 0x20, "a control byte stands on the line to the device"


def check_frames_decode():
    """Whole, byte by byte, in threes, and with garbage around."""
    for case in FRAMES["decode"]:
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
        after = decoder.feed(frame.encode(b"after", False))[-1:]
        assert after == [("frame", b"after")], (case["name"], "after garbage")


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


def check_every_case_is_there():
    named = {case["name"] for case in MESSAGES["good"]}
    assert {layout[0].__name__ for layout in message.LAYOUTS.values()} <= named
    for document in (FRAMES, {"refused": MESSAGES["refused"]}, CRYPTO):
        for name in document:
            assert document[name], name
    assert len(SESSIONS["to_device"]) > 2 and len(SESSIONS["to_host"]) > 2


def check_messages_both_ways():
    for case in MESSAGES["good"]:
        wire = unhex(case["hex"])
        decoded = message.decode(wire)
        cls = getattr(message, case["name"])
        assert isinstance(decoded, cls), case["name"]
        assert plain(decoded) == case["fields"], (case["name"], decoded)
        assert message.encode(decoded) == wire, case["name"]
        assert message.encode(cls(*[real(value) for value in case["fields"]])) == wire, case["name"]


def check_messages_refused():
    for case in MESSAGES["refused"]:
        assert len(raised(RemoteError, message.decode, unhex(case["hex"]))) > 8, case["name"]


def check_crypto_of_other_people():
    for case in CRYPTO["hmac"]:
        code = crypto.Hmac(unhex(case["key"])).digest(unhex(case["data"]))
        assert code == unhex(case["code"]), case["source"]
    for case in CRYPTO["hkdf"]:
        okm = unhex(case["okm"])
        found = crypto.hkdf(unhex(case["key"]), unhex(case["salt"]), unhex(case["info"]), len(okm))
        assert found == okm, case["source"]
    for case in CRYPTO["aes_ecb"]:
        assert aes_ecb(unhex(case["key"])).encrypt(unhex(case["data"])) == unhex(case["code"]), case["source"]


def with_nonce(side, name):
    """The side of a session whose only HELLO has the nonce of the vectors."""
    side._fresh_nonce = [unhex(SESSIONS[name])].pop
    return side


def make_pair():
    key = Key(SESSIONS["key_id"], 1, unhex(SESSIONS["key"]), "bed 3")
    host = HostSession(key, bytes, unhex(SESSIONS["device_id"]))
    device = DeviceSession(unhex(SESSIONS["device_id"]), unhex(SESSIONS["journal_id"]), [key], bytes)
    return with_nonce(host, "host_nonce"), with_nonce(device, "device_nonce")


def framed(name, to_device):
    return frame.encode(unhex(SESSIONS[name]), to_device)


def sent(events):
    return b"".join([event.data for event in events if isinstance(event, session.Send)])


def check_session():
    """Every byte of a whole session: both HELLOs, both PROOFs, then sealed messages both ways."""
    host, device = make_pair()
    assert host.start() == framed("host_hello", True)
    answer = sent(device.receive(framed("host_hello", True)))
    assert answer == framed("device_hello", False)
    proof = sent(host.receive(answer))
    assert proof == framed("host_proof", True)
    events = device.receive(proof)
    assert sent(events) == framed("device_proof", False)
    assert isinstance(events[-1], session.Opened) and events[-1].key.key_id == SESSIONS["key_id"]
    events = host.receive(sent(events))
    assert isinstance(events[0], session.Opened) and events[0].peer.journal_id == unhex(
        SESSIONS["journal_id"]
    )
    assert host.state == device.state == "open"
    keys = hello.session_keys(
        unhex(SESSIONS["key"]), unhex(SESSIONS["host_hello"]), unhex(SESSIONS["device_hello"])
    )
    assert b"".join(keys) == unhex(SESSIONS["session_keys"])
    for sender, receiver, direction in ((device, host, "to_host"), (host, device, "to_device")):
        for case in SESSIONS[direction]:
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


def check_sealed():
    """The largest counter, replay, reflection and every bit flipped, below the session."""
    keys = hello.session_keys(
        unhex(SESSIONS["key"]), unhex(SESSIONS["host_hello"]), unhex(SESSIONS["device_hello"])
    )
    sealer = sealed.Sealer(keys.h2d_encrypt, keys.h2d_auth, sealed.TAG_TO_DEVICE)
    sealer.counter = 0xFFFFFFFE
    last = sealer.seal(b"\x1c")
    assert last == unhex(SESSIONS["last_counter_sealed"])
    raised(LocalError, sealer.seal, b"\x1c")  # the counter never wraps
    opener = sealed.Opener(keys.h2d_encrypt, keys.h2d_auth, sealed.TAG_TO_DEVICE)
    first, second = [unhex(case["sealed"]) for case in SESSIONS["to_device"][:2]]
    for at in range(len(first) * 8):
        bad = bytearray(first)
        bad[at >> 3] ^= 1 << (at & 7)
        assert opener.open(bytes(bad)) is None, at
    assert opener.bad_mac + opener.reflected == len(first) * 8 and opener.reflected == 8
    for size in range(len(first)):
        assert opener.open(first[:size]) is None, size
    assert opener.open(second) == unhex(SESSIONS["to_device"][1]["plaintext"]) and opener.missed == 1
    assert opener.open(first) is None and opener.open(second) is None and opener.replayed == 2
    assert opener.open(last) == b"\x1c" and opener.missed == 1 + 0xFFFFFFFE - 2
    assert opener.open(unhex(SESSIONS["to_host"][0]["sealed"])) is None and opener.reflected >= 9


def check_refusals():
    """Other versions, an unknown key and a wrong one: each side says so, in the bytes of the vector."""
    key = unhex(SESSIONS["key"])
    _, device = make_pair()
    events = device.receive(framed("host_hello_of_version_2", True))
    assert sent(events) == framed("refuse_version", False)
    assert events[-1] == session.Refused(hello.REFUSE_VERSION, 2, 3)
    events = device.receive(framed("host_hello_of_versions_0_to_9", True))
    assert sent(events) == framed("device_hello", False)  # 1 is in common: a newer host is not turned away
    host, _ = make_pair()
    host.start()
    refused = session.Refused(hello.REFUSE_VERSION, 2, 3)
    assert host.receive(framed("device_hello_of_version_2", False)) == [refused]
    assert host.receive(framed("refuse_version", False)) == [session.Refused(hello.REFUSE_VERSION, 1, 1)]
    _, device = make_pair()
    device.set_keys([Key(SESSIONS["key_id"] + 1, 1, key, "other")])
    assert sent(device.receive(framed("host_hello", True))) == framed("refuse_key", False)
    _, device = make_pair()
    device.set_keys([Key(SESSIONS["key_id"], 1, bytes(32), "same id, other key")])
    device.receive(framed("host_hello", True))
    events = device.receive(framed("host_proof", True))
    assert sent(events) == framed("refuse_proof", False)
    assert device.state == "idle" and device.counters()["refused_proof"] == 1
