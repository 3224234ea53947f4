"""The session between two well-meaning sides, and on a line that is bad but not hostile."""

import random

import pytest
from crs_core.errors import LocalError
from crs_core.wire import message, session
from crs_core.wire.fragment_carrier import FragmentCarrier
from crs_core.wire.session import Closed, Opened, Received, Send, Text
from crs_core.wire.session_device import DeviceSession
from crs_core.wire.session_host import HostSession

from tests.core.wire.pair import DEVICE_ID, JOURNAL_ID, KEY, READER, BadLine, Pair, numbers


def test_opens_and_carries_both_ways():
    pair = Pair().open()
    assert pair.states == ("open", "open")
    assert pair.host_events[0].peer.journal_id == JOURNAL_ID
    assert pair.device_events[0] == Opened(
        pair.device_events[0].peer, 1, session.KeyUse(KEY.key_id, KEY.role, KEY.name)
    )
    assert pair.to_device(message.Ping(4)) == [Received(message.Ping(4))]
    assert pair.to_host(message.Pong(4)) == [Received(message.Pong(4))]


def test_secrets_stay_out_of_what_may_be_logged():
    pair = Pair().open()
    pair.to_host(message.Pong(4))
    shown = repr(
        (pair.host_events, pair.device_events, pair.device.counters(), pair.device.key, pair.host.key)
    )
    assert repr(KEY.key)[2:20] not in shown and KEY.key.hex() not in shown


def test_reader_key_is_told_to_the_caller():
    pair = Pair(host_key=READER).open()
    assert pair.device.key.role == READER.role == pair.host.key.role


def test_each_session_has_its_own_keys():
    pair = Pair().open()
    first = pair.device.seal(message.Ping(1))
    pair.open()
    assert pair.device.seal(message.Ping(1)) != first
    assert pair.states == ("open", "open")
    assert Closed(message.BYE_REPLACED) in pair.device_events


def test_a_message_larger_than_the_peer_takes_is_the_callers_error():
    pair = Pair().open()
    assert pair.host.peer_largest == session.SERIAL_LARGEST_TO_DEVICE
    with pytest.raises(LocalError, match="takes 111"):
        pair.host.seal(message.Settings(1, 0, 1, bytes(108)))
    # all zeros: everything is stuffed
    assert len(pair.host.seal(message.Settings(1, 0, 1, bytes(107)))) <= 260
    with pytest.raises(LocalError):
        pair.device.seal(message.Block(bytes(4096)))
    assert pair.to_host(message.Block(bytes(4095))) == [Received(message.Block(bytes(4095)))]


def test_bye_ends_both_sides():
    pair = Pair().open()
    events = pair.device.close(message.BYE_JOURNAL_CHANGED)
    assert events[-1] == Closed(message.BYE_JOURNAL_CHANGED)
    pair.carry(False, events[0].data)
    assert pair.host_events[-1] == Closed(message.BYE_JOURNAL_CHANGED)
    assert pair.states == ("idle", "idle")


def test_a_new_journal_is_told_in_the_next_hello():
    pair = Pair().open()
    pair.device.journal_id = b"JOURNAL2"
    pair.open()
    assert pair.host_events[-1].peer.journal_id == b"JOURNAL2"


def test_a_lost_link_forgets_the_session_and_what_was_half_received():
    pair = Pair().open()
    whole = pair.host.seal(message.Ping(1))
    assert pair.device.receive(whole[:10]) == []
    assert pair.device.link_lost()[-1] == Closed(session.CLOSED_LINK_LOST)
    assert not [e for e in pair.device.receive(whole[10:]) if isinstance(e, Received)]
    assert pair.device.state == "idle" and pair.device.key is None and pair.device.peer is None
    pair.open()
    assert pair.states == ("open", "open")


def test_unknown_message_types_are_passed_on_and_the_session_goes_on():
    pair = Pair().open()
    unknown = message.Unknown(0x5A, b"from a later version")
    assert pair.to_host(unknown) == [Received(unknown)]
    assert pair.to_host(message.Pong(1)) == [Received(message.Pong(1))]


def test_an_authentic_message_of_wrong_layout_is_counted_and_the_session_goes_on():
    pair = Pair().open()
    assert pair.to_host(message.Unknown(0x25, b"\x01")) == []  # a PONG three bytes short
    assert pair.host.counters()["bad_message"] == 1
    assert pair.to_host(message.Pong(1)) == [Received(message.Pong(1))]


def test_text_between_frames_surfaces():
    pair = Pair().open()
    events = pair.host.receive(b"MemoryError\r\n" + pair.device.seal(message.Pong(1)) + b">>> ")
    assert events == [Text(b"MemoryError\r\n"), Received(message.Pong(1)), Text(b">>> ")]


def test_features_are_those_of_both():
    pair = Pair(features=0b0110)
    pair.device = DeviceSession(DEVICE_ID, JOURNAL_ID, [KEY], numbers(3), features=0b0011)
    pair.open()
    assert pair.host.features == pair.device.features == 0b0010
    pair.host.link_lost()
    assert pair.host.features == 0


@pytest.mark.parametrize("size", [20, 185, 244])
def test_the_same_session_over_fragments(size):
    random_bytes = numbers(5)
    host = HostSession(KEY, random_bytes, carrier=FragmentCarrier(size, 4096))
    device = DeviceSession(
        DEVICE_ID, JOURNAL_ID, [KEY], random_bytes, largest=512, carrier=FragmentCarrier(size, 512)
    )
    # start() gives the fragments joined; a radio writes them one by one
    hello = host.start()
    waiting = [(True, hello[i : i + size]) for i in range(0, len(hello), size)]
    while waiting:
        to_device, fragment = waiting.pop(0)
        assert len(fragment) <= size
        for event in (device if to_device else host).receive(fragment):
            if isinstance(event, Send):
                waiting.append((not to_device, event.data))
    assert host.state == device.state == "open"
    big = message.Block(bytes(range(256)) * 15)
    pieces = device.seal_pieces(big)
    assert len(pieces) == -(-(3841 + 13) // (size - 1))
    assert [host.receive(piece) for piece in pieces][-1] == [Received(big)]
    pieces = device.seal_pieces(big)
    assert not any(host.receive(piece) for piece in pieces[:3] + pieces[4:])
    assert host.counters()["torn"] > 0
    assert host.receive(b"".join(device.seal_pieces(message.Pong(1)))) == [Received(message.Pong(1))]
    assert host.counters()["missed"] == 1


SEEDS = [
    *range(40),
    "a new one",
]  # every worker must name the cases alike, so the new one is drawn in the test


@pytest.mark.parametrize("seed", SEEDS)
def test_a_bad_line_never_changes_doubles_or_reorders_a_message(seed):
    if seed == "a new one":
        seed = random.SystemRandom().randrange(1 << 32)
    print("seed", seed)
    source = random.Random(seed)
    random_bytes = source.randbytes
    host = HostSession(KEY, random_bytes, DEVICE_ID)
    device = DeviceSession(DEVICE_ID, JOURNAL_ID, [KEY], random_bytes)
    lines = {True: BadLine(source, 0.25), False: BadLine(source, 0.25)}
    sent = {True: [], False: []}  # since the receiver opened
    got = {True: [], False: []}
    opened = 0

    def deliver():
        nonlocal opened
        for to_device, receiver in ((True, device), (False, host)):
            for piece in lines[to_device].read():
                for event in receiver.receive(piece):
                    if isinstance(event, Send):
                        lines[not to_device].write(event.data)
                    elif isinstance(event, Opened):
                        opened += 1
                        got[to_device] = []
                        sent[not to_device] = []
                    elif isinstance(event, Received):
                        got[to_device].append(event.message)
                        assert event.message in sent[to_device], "never sent in this session"
        for received in got.values():
            tokens = [m.token for m in received]
            assert tokens == sorted(set(tokens)), "doubled or out of order"

    quiet_rounds = 0
    for token in range(300):
        if token == 250:
            lines[True].calm()
            lines[False].calm()
        quiet_rounds = 0 if (host.state, device.state) == ("open", "open") else quiet_rounds + 1
        if quiet_rounds >= 3 or host.state == "idle":
            quiet_rounds = 0  # the caller's deadline
            device.drop_half_open()
            lines[True].write(host.start())
        for to_device, sender, kind in ((True, host, message.Ping), (False, device, message.Pong)):
            if sender.state == "open":
                m = kind(token)
                sent[to_device].append(m)
                lines[to_device].write(sender.seal(m))
        deliver()
    assert lines[True].harm + lines[False].harm > 50
    assert (host.state, device.state) == ("open", "open") and opened >= 2
    assert got[True][-1] == message.Ping(299) and got[False][-1] == message.Pong(299)
    for receiver in (device, host):
        counts = receiver.counters()
        names = ("bad_crc", "bad_escape", "oversize", "replayed", "missed")
        assert sum(counts.get(name, 0) for name in names) > 0, counts


def test_a_payload_that_is_given_up_leaves_the_count_to_go_on():
    carrier = FragmentCarrier(20, 100)
    first = carrier.encode(bytes(50))
    assert carrier.feed(first[0]) == []
    carrier.flush()
    again = carrier.encode(bytes(50))
    # the same header twice would be a double to the other side
    assert [piece[0] & 0x3F for piece in first + again] == list(range(6))
    assert [carrier.feed(piece) for piece in again][-1] == [("frame", bytes(50))]


def test_a_board_that_dies_inside_a_frame_is_heard():
    pair = Pair().open()
    broken = pair.device.seal(message.Block(bytes(200)))[:60]
    assert pair.host.receive(broken) == []
    noise = b"\x00" * 9000  # longer than any frame
    assert pair.host.receive(noise) == []
    events = pair.host.receive(b"\r\nTraceback (most recent call last):\r\n>>> ")
    assert events == [Text(b"Traceback (most recent call last):\r\n")]
    events = pair.host.receive(pair.device.seal(message.Pong(1)))
    assert events == [Text(b">>> "), Received(message.Pong(1))]
    assert pair.host.counters()["oversize"] == 1


def test_a_session_ends_even_when_its_bye_cannot_be_said():
    pair = Pair().open()
    pair.device._sealer.counter = 0xFFFFFFFF
    with pytest.raises(LocalError, match="used up"):
        pair.device.seal(message.Pong(1))
    assert pair.device.close(message.BYE_SHUTDOWN) == [Closed(message.BYE_SHUTDOWN)]
    assert pair.device.state == "idle" and pair.device.counters()["unsaid_bye"] == 1


def test_counts_outlive_the_session():
    pair = Pair().open()
    wire = pair.host.seal(message.Ping(1))
    pair.device.receive(wire + wire + wire)
    assert pair.device.counters()["replayed"] == 2
    pair.device.link_lost()
    pair.open()
    wire = pair.host.seal(message.Ping(2))
    pair.device.receive(wire + wire)
    assert pair.device.counters()["replayed"] == 3
