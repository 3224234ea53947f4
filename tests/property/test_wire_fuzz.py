"""Random and nearly right bytes against every decoder of the wire: RemoteError or a count, never anything else."""

import random

from crs_core.errors import RemoteError
from crs_core.wire import fragment, frame, hello, message, parts, session
from crs_core.wire.session_device import DeviceSession
from crs_core.wire.session_host import HostSession
from hypothesis import example, given
from hypothesis import strategies as st

from tests.core.wire.pair import DEVICE_ID, JOURNAL_ID, KEY, Pair, numbers
from tools.rig.micropython import ROOT, run_micropython

lumps = st.one_of(
    st.binary(max_size=80),
    st.sampled_from([b"~", b"}", b"~~", b"}~", b"CWHL", b"CWPF", b"CWRF", b"\xd1", b"\xd2", b">>> \r\n"]),
    st.binary(min_size=1, max_size=60).map(lambda p: frame.encode(p, False)),
    st.binary(min_size=1, max_size=60).map(lambda p: frame.encode(p, True)),
    st.sampled_from([b"CWHL", b"CWPF", b"CWRF", b"\xd1", b"\xd2"]).flatmap(
        lambda head: st.binary(max_size=50).map(lambda tail: frame.encode(head + tail, True))
    ),
)
streams = st.lists(lumps, max_size=12).map(b"".join)


@given(stream=streams, cuts=st.lists(st.integers(1, 40), min_size=1, max_size=8), limit=st.integers(1, 200))
def test_frame_decoder_does_not_care_where_the_stream_is_cut(stream, cuts, limit):
    whole, pieces = frame.Decoder(limit), frame.Decoder(limit)
    expected = whole.feed(stream)
    found, at, turn = [], 0, 0
    while at < len(stream):
        size = cuts[turn % len(cuts)]
        found += pieces.feed(stream[at : at + size])
        at, turn = at + size, turn + 1

    def frames(items):
        return [data for kind, data in items if kind == "frame"]

    assert frames(found) == frames(expected)
    assert b"".join(d for k, d in found if k == "text") == b"".join(d for k, d in expected if k == "text")
    assert pieces.counters() == whole.counters()
    assert len(pieces._candidate) <= max(2 * (limit + 4), frame.TEXT_TAIL_BYTES)


@given(payload=st.binary(min_size=1, max_size=300), before=streams, to_device=st.booleans())
def test_a_whole_frame_after_a_flag_is_found_whatever_came_before(payload, before, to_device):
    decoder = frame.Decoder(300)
    decoder.feed(before + b"~")
    assert ("frame", payload) in decoder.feed(
        frame.encode(payload, to_device) + frame.encode(payload, to_device)
    )


@given(data=st.binary(max_size=120))
@example(data=b"\x22" + bytes(19) + b"\xff")
def test_message_decoder_is_exact(data):
    try:
        decoded = message.decode(data)
    except RemoteError:
        return
    assert message.encode(decoded) == data


@given(
    number=st.sampled_from(sorted(message.LAYOUTS)), body=st.binary(max_size=60), tail=st.binary(max_size=3)
)
def test_message_decoder_of_every_type(number, body, tail):
    test_message_decoder_is_exact.hypothesis.inner_test(bytes([number]) + body + tail)


@given(data=st.binary(max_size=60), head=st.sampled_from([b"", b"CWHL", b"CWRF"]))
def test_opening_decoders(data, head):
    for decode in (hello.decode_hello, hello.decode_refuse):
        try:
            decode(head + data)
        except RemoteError:
            continue


@given(pieces=st.lists(st.binary(max_size=30), max_size=30))
def test_assembler_is_bounded_and_silent(pieces):
    assembler = fragment.Assembler(64)
    for piece in pieces:
        whole = assembler.feed(piece)
        assert whole is None or 0 < len(whole) <= 64
        assert assembler._pieces is None or sum(map(len, assembler._pieces)) <= 64


@given(adds=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.binary(max_size=20)), max_size=20))
def test_part_joiner_is_bounded(adds):
    joiner = parts.PartJoiner(40)
    for part, count, data in adds:
        try:
            whole = joiner.add(part, count, data)
        except RemoteError:
            continue
        assert whole is None or len(whole) <= 40


@given(stream=streams)
def test_sessions_in_every_state_take_anything(stream):
    idle = DeviceSession(DEVICE_ID, JOURNAL_ID, [KEY], numbers(1))
    waiting = HostSession(KEY, numbers(2))
    waiting.start()
    opened = Pair().open()
    for side in (idle, waiting, opened.host, opened.device):
        before = side.state
        events = side.receive(stream)
        allowed = (session.Send, session.Text, session.Refused)
        assert all(isinstance(event, allowed) for event in events), events
        if before == "open":
            assert side.state == "open"
    ping = message.Ping(77)
    opened.device.receive(b"~")
    assert opened.device.receive(opened.host.seal(ping))[-1:] == [session.Received(ping)]


@given(flips=st.lists(st.integers(0, 1 << 30), min_size=1, max_size=4), which=st.integers(0, 3))
def test_a_changed_opening_never_opens_both(flips, which):
    class Flipper(Pair):
        same = True

        def change(self, to_device, payload):
            if len(self.seen) - 1 != which:
                return [payload]
            changed = bytearray(payload)
            for flip in flips:
                changed[flip % len(changed)] ^= 1 + (flip >> 8) % 255
            self.same = changed == payload  # the flips may undo each other
            return [bytes(changed)]

    pair = Flipper().open()
    assert (pair.states == ("open", "open")) == pair.same


def test_the_same_invariant_on_micropython():
    seed = str(random.SystemRandom().randrange(1 << 30))
    done = run_micropython(ROOT / "tests" / "micropython" / "wire_fuzz.py", seed, "1500")
    assert done.returncode == 0 and "rounds 1500" in done.stdout, f"seed {seed}\n{done.stdout}{done.stderr}"
