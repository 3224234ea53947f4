"""Someone on the link who reads, holds back, changes and sends as they like, but has no key."""

from types import SimpleNamespace

import pytest
from crs_core.errors import LocalError
from crs_core.keys import Key
from crs_core.wire import frame, hello, message, sealed, session
from crs_core.wire.session import Closed, Received, Refused
from crs_core.wire.session_device import DeviceSession
from crs_core.wire.session_host import HostSession
from crs_device.app import App

from tests.core.wire.pair import DEVICE_ID, JOURNAL_ID, KEY, READER, Pair, numbers, payload_of


class FlipBit(Pair):
    """Flips one bit of the n-th payload on the link."""

    def __init__(self, nth, bit):
        super().__init__()
        self.nth, self.bit = nth, bit

    def change(self, to_device, payload):
        if len(self.seen) - 1 != self.nth:
            return [payload]
        changed = bytearray(payload)
        changed[self.bit >> 3] ^= 1 << (self.bit & 7)
        return [bytes(changed)]


@pytest.mark.parametrize(
    "nth,size", [(0, 48), (1, 48), (2, 37)], ids=["host HELLO", "device HELLO", "host PROOF"]
)
def test_no_bit_of_the_opening_can_be_changed(nth, size):
    for bit in range(size * 8):
        pair = FlipBit(nth, bit).open()
        assert pair.states[0] != "open" and pair.states[1] != "open", (nth, bit)
        assert any(pair.device.counters().values()) or any(pair.host.counters().values()), "nobody noticed"


def test_a_changed_device_proof_does_not_open_the_host():
    for bit in range(37 * 8):
        pair = FlipBit(3, bit).open()
        assert pair.host.state != "open", bit
        assert pair.device.state == "open"  # it saw a good proof; the host's restart replaces it
        pair.nth = -1
        pair.open()
        assert pair.states == ("open", "open"), bit


def test_version_bits_flipped_end_in_a_clear_refusal():
    """A middle man cannot talk two sides down to an older version: the proofs cover both HELLOs."""
    low_byte, high_byte = 4 * 8, 5 * 8
    for nth in (0, 1):
        for bit in (*range(low_byte, low_byte + 8), *range(high_byte, high_byte + 8)):
            pair = FlipBit(nth, bit).open()
            assert [e for e in pair.host_events if isinstance(e, Refused)], (nth, bit)


def test_reflection_opens_nothing():
    host = Pair().host
    assert host.receive(frame.encode(payload_of(host.start()), False)) == []
    assert host.state == "handshake" and host.counters()["reflected"] == 1


def test_the_hosts_own_proof_sent_back_opens_nothing():
    class Mirror(Pair):
        def change(self, to_device, payload):
            if not to_device and payload[:4] == b"CWPF":
                return [self.seen[-2][1]]
            return [payload]

    pair = Mirror().open()
    assert pair.host.state == "idle"
    assert pair.host_events == [Refused(hello.REFUSE_PROOF, 1, 1)]


def test_a_hosts_hello_wearing_the_device_role_opens_nothing():
    """The role byte alone is not what protects: the proof names the role too."""
    host = Pair().host
    payload = bytearray(payload_of(host.start()))
    payload[10] = hello.ROLE_DEVICE
    payload[12:20] = DEVICE_ID
    proof = host.receive(frame.encode(bytes(payload), False))
    assert len(proof) == 1
    back = payload_of(proof[0].data)
    for role in (1, 2):
        again = host.receive(frame.encode(back[:4] + bytes([role]) + back[5:], False))
        assert not [e for e in again if isinstance(e, session.Opened)]
    assert host.state == "idle"


def test_sealed_messages_sent_back_or_again_are_dropped_and_counted():
    pair = Pair().open()
    pair.to_device(message.Ping(1))
    own = pair.seen[-1][1]
    assert pair.host.receive(frame.encode(own, False)) == []
    assert pair.host.counters()["reflected"] == 1
    disguised = bytes([0xD2]) + own[1:]
    assert pair.host.receive(frame.encode(disguised, False)) == []
    assert pair.host.counters()["bad_mac"] == 1
    assert pair.device.receive(frame.encode(own, True)) == []
    assert pair.device.counters()["replayed"] == 1
    assert pair.to_device(message.Ping(2)) == [Received(message.Ping(2))]


def test_a_recorded_session_played_again_does_nothing():
    pair = Pair()
    pair.open()
    pair.to_device(message.Bind(message.BIND_END, bytes(8), 0, 1, b""))
    recorded = [payload for to_device, payload in pair.seen if to_device]
    pair.device.link_lost()
    events = []
    for payload in recorded:
        events += pair.device.receive(frame.encode(payload, True))
    assert not [e for e in events if isinstance(e, session.Opened | Received)]
    assert Refused(hello.REFUSE_PROOF, 1, 1) in events
    assert pair.device.counters()["not_open"] == 1


def test_lost_messages_are_counted():
    pair = Pair().open()
    for token in range(5):
        pair.device.seal(message.Pong(token))
    assert pair.to_host(message.Pong(5)) == [Received(message.Pong(5))]
    assert pair.host.counters()["missed"] == 5


def test_a_strangers_hello_does_not_disturb_an_open_session():
    pair = Pair().open()
    stranger = HostSession(Key(KEY.key_id, 1, bytes(32), "stranger"), numbers(9))
    answer = pair.device.receive(stranger.start())
    assert pair.device.half_open and pair.device.state == "open"
    assert pair.to_device(message.Ping(1)) == [Received(message.Ping(1))]
    refused = pair.device.receive(stranger.receive(answer[0].data)[0].data)
    assert refused[-1] == Refused(hello.REFUSE_PROOF, 1, 1) and not pair.device.half_open
    assert pair.to_device(message.Ping(2)) == [Received(message.Ping(2))]
    assert pair.to_host(message.Pong(2)) == [Received(message.Pong(2))]


def test_the_last_counter_is_never_used_and_never_taken():
    keys = bytes(range(16)), bytes(range(16, 32))
    for counter, is_taken in ((0xFFFFFFFE, True), (0xFFFFFFFF, False)):
        sealer = sealed.Sealer(*keys, sealed.TAG_TO_DEVICE)
        sealer.counter = 0xFFFFFFFE
        body = (
            bytes([sealed.TAG_TO_DEVICE]) + counter.to_bytes(4, "little") + sealer._ctr.crypt(counter, b"x")
        )
        opener = sealed.Opener(*keys, sealed.TAG_TO_DEVICE)
        assert (opener.open(body + sealer._mac.digest(body)[:8]) == b"x") == is_taken
        assert opener.replayed == (not is_taken) and opener.expected == (0xFFFFFFFF if is_taken else 0)
    assert sealer.seal(b"x") == seal_of_the_last_but_one(keys)
    with pytest.raises(LocalError, match="new session"):
        sealer.seal(b"x")


def seal_of_the_last_but_one(keys):
    sealer = sealed.Sealer(*keys, sealed.TAG_TO_DEVICE)
    sealer.counter = 0xFFFFFFFE
    return sealer.seal(b"x")


def stuck(count):
    """A random source that gives the same bytes for ever."""
    return b"\xa5" * count


class Chip:
    """A wearable's application as far as it makes sessions; its random source is stuck."""

    def __init__(self, boot, us):
        self.board = SimpleNamespace(random_bytes=stuck)
        self.device_id, self.keys, self.log = DEVICE_ID, [KEY], SimpleNamespace(journal=None)
        self.boot_number, self._drawn = boot, 0
        self.clock = SimpleNamespace(ticks=lambda: us, ms=lambda: us)
        self.servers, self.requests, self.presence, self.health = [], SimpleNamespace(handle=None), None, None

    def draw(self, count):
        return App.draw(self, count)

    def session(self):
        return App.serve(self, None).session


def bare(boot, source=stuck):
    """A session that its caller gave nothing but random bytes that repeat."""
    return SimpleNamespace(session=lambda: DeviceSession(DEVICE_ID, JOURNAL_ID, [KEY], source, boot=boot))


@pytest.mark.parametrize("starts_anew", [True, False], ids=["after a start", "in the same run"])
@pytest.mark.parametrize(
    "chip,later",
    [
        (Chip(7, 0), Chip(8, 0)),
        (Chip(7, 0), Chip(7, 1)),
        (Chip(7, 0), Chip(2**32 - 1, 2**30)),
        (bare(7), bare(8)),
    ],
    ids=["boot", "moment", "largest", "bare"],
)
def test_a_tape_opens_no_session_although_the_chip_s_random_numbers_repeat(
    chip, later, starts_anew, monkeypatch
):
    monkeypatch.setattr(hello, "_made", [0])
    host, device, tape = HostSession(KEY, stuck, DEVICE_ID), chip.session(), []
    waiting = [host.start()]
    while waiting:
        tape.append(waiting.pop())
        for data in [event.data for event in device.receive(tape[-1]) if isinstance(event, session.Send)]:
            waiting += [event.data for event in host.receive(data) if isinstance(event, session.Send)]
    assert device.is_open
    tape.append(host.seal(message.Ping(1)))
    if starts_anew:
        hello._made[0] = 0
    again, got = later.session(), []
    for piece in tape:
        got += again.receive(piece)
    assert not again.is_open and not [event for event in got if isinstance(event, Received)]


@pytest.mark.parametrize("chip", [Chip(7, 0), bare(0), bare(0, bytes)], ids=["application", "bare", "zeros"])
def test_no_two_handshakes_of_one_start_share_a_nonce_whatever_link_they_come_by(chip):
    answers = {chip.session().receive(HostSession(KEY, numbers(n)).start())[0].data for n in range(50)}
    nonces = {hello.decode_hello(payload_of(answer)).nonce for answer in answers}
    assert len(nonces) == 50


def test_a_laptop_s_hello_is_another_each_time_although_its_random_numbers_repeat():
    hosts = [HostSession(KEY, stuck, DEVICE_ID) for _ in range(5)]
    assert len({host.start() for host in hosts * 10}) == 50
    assert hosts[0].start() != hosts[0].start() and len({host.again_pieces()[0] for host in hosts}) == 5


def test_one_proof_per_nonce():
    pair = Pair()
    answer = pair.device.receive(pair.host.start())[0].data
    proof = payload_of(pair.host.receive(answer)[0].data)
    wrong = proof[:-1] + bytes([proof[-1] ^ 1])
    assert pair.device.receive(frame.encode(wrong, True))[-1] == Refused(hello.REFUSE_PROOF, 1, 1)
    assert pair.device.receive(frame.encode(proof, True)) == []
    assert pair.device.state == "idle"


def test_a_doubled_hello_gets_the_same_answer_and_the_handshake_goes_on():
    pair = Pair()
    hello_bytes = pair.host.start()
    first = pair.device.receive(hello_bytes)
    assert pair.device.receive(hello_bytes) == first
    assert pair.device.counters()["doubled_hello"] == 1
    pair.carry(False, first[0].data)
    assert pair.states == ("open", "open")
    pair.device.link_lost()
    assert pair.device.receive(hello_bytes) != first, "the same nonce for a second handshake"


def test_a_forged_refusal_is_advice_and_ends_nothing():
    pair = Pair().open()
    for reason in range(8):
        forged = frame.encode(b"CWRF" + bytes([reason, 1, 1]), False)
        assert pair.host.receive(forged) == [Refused(reason, 1, 1)]
    assert pair.host.state == "open"
    assert pair.to_host(message.Pong(2)) == [Received(message.Pong(2))]
    waiting = Pair()
    hello_bytes = waiting.host.start()
    waiting.host.receive(frame.encode(b"CWRF\x02\x01\x01", False))
    waiting.carry(True, hello_bytes)
    assert waiting.states == ("open", "open")


def test_revoked_key_ends_the_session_and_is_refused_from_then_on():
    pair = Pair(host_key=READER).open()
    for event in pair.device.set_keys([KEY]):
        if isinstance(event, session.Send):
            pair.carry(False, event.data)
    assert pair.host_events[-1] == Closed(message.BYE_REVOKED)
    assert pair.states == ("idle", "idle")
    pair.open()
    assert pair.host_events[-1] == Refused(hello.REFUSE_KEY, 1, 1)
    assert pair.device_events[-1] == Refused(hello.REFUSE_KEY, 1, 1)
    assert pair.device.state == "idle"


def test_revoking_another_key_leaves_the_session():
    pair = Pair().open()
    assert pair.device.set_keys([KEY]) == []
    assert pair.to_device(message.Ping(1)) == [Received(message.Ping(1))]


def test_revocation_during_the_handshake():
    pair = Pair(host_key=READER)
    answer = pair.device.receive(pair.host.start())[0].data
    pair.device.set_keys([KEY])
    assert pair.device.receive(pair.host.receive(answer)[0].data) == []
    assert pair.device.state == "idle"


def test_a_wrong_key_is_refused_on_both_sides():
    pair = Pair(host_key=Key(KEY.key_id, 1, b"\x55" * 32, "wrong")).open()
    assert pair.host_events == pair.device_events == [Refused(hello.REFUSE_PROOF, 1, 1)]
    assert "open" not in pair.states


def test_another_device_than_expected_is_not_opened():
    pair = Pair(device_id=b"DEVICE02").open()
    assert pair.host_events == [Refused(hello.REFUSE_DEVICE, 1, 1)]


def test_a_device_that_restarted_says_once_that_no_session_is_open():
    pair = Pair().open()
    pair.device = DeviceSession(DEVICE_ID, JOURNAL_ID, [KEY], numbers(11))
    assert pair.to_device(message.Ping(1)) == []
    assert pair.host_events[-1] == Refused(hello.REFUSE_NO_SESSION, 1, 1)
    count = len(pair.seen)
    pair.to_device(message.Ping(2))
    assert len(pair.seen) == count + 1, "it answered twice: noise could keep it talking"
    pair.open()
    assert pair.states == ("open", "open")
    pair.device.link_lost()
    pair.to_device(message.Ping(3))
    assert pair.host_events[-1] == Refused(hello.REFUSE_NO_SESSION, 1, 1), "a session was open since"


def test_a_hello_with_an_unknown_role_or_reserved_byte():
    pair = Pair()
    payload = bytearray(payload_of(pair.host.start()))
    payload[10] = 3
    assert pair.device.receive(frame.encode(bytes(payload), True)) == []
    assert pair.device.counters()["bad_payload"] == 1
    payload[10], payload[11] = hello.ROLE_HOST, 0xFF  # reserved: a later version may use it
    assert len(pair.device.receive(frame.encode(bytes(payload), True))) == 1


def test_a_device_in_use_elsewhere_says_so():
    pair = Pair()
    pair.host.start()
    pair.carry(False, frame.encode(hello.encode_refuse(hello.REFUSE_BUSY), False))
    assert pair.host_events == [Refused(hello.REFUSE_BUSY, 1, 1)]


def test_a_device_that_answers_for_another_key_is_refused():
    pair = Pair()
    answer = pair.device.receive(pair.host.start())[0].data
    payload = bytearray(payload_of(answer))
    payload[28] ^= 1  # key id
    assert pair.host.receive(frame.encode(bytes(payload), False)) == [Refused(hello.REFUSE_KEY, 1, 1)]
