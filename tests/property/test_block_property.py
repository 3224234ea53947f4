"""Any reading and event survives the codec; any bytes are refused with RemoteError or decoded, never anything else."""

from crs_core import keys
from crs_core import settings as device_settings
from crs_core.errors import RemoteError
from crs_core.journal import (
    block_layout,
    block_reader,
    block_writer,
    codec2_reader,
    codec2_writer,
    record_layout,
    record_reader,
    record_types,
    varint,
)
from crs_core.units import Reading
from hypothesis import given
from hypothesis import strategies as st

from tools.rig import codec1_writer

JOURNAL = b"\x5a" * 8
T_MAX = (1 << 48) - 1
VALUE = st.none() | st.integers(0, 65534) | st.sampled_from([3700, 970, 80, 150, 0])
READING = st.builds(Reading, st.integers(0, T_MAX), VALUE, VALUE, VALUE, VALUE, st.integers(0, 65535))
FLAGS = st.sampled_from([0, block_layout.FLAG_SIMULATED])


ENCODERS = {1: codec1_writer.encode_readings, 2: block_writer.encode_readings}
CODEC = st.sampled_from(sorted(ENCODERS))


@st.composite
def likely_readings(draw):
    """As sensors give them: on a grid that is late now and then, wandering values that are away for a while."""
    t = draw(st.integers(0, 1 << 40))
    step = draw(st.sampled_from([1000, 10_000, 60_000]))
    values = [3700, 970, 80, 150]
    there = [True] * 4
    status, readings = 1025, []
    for _ in range(draw(st.integers(1, 255))):
        change = draw(st.integers(0, 30))
        if change < 4:
            there[change] = not there[change]
        elif change == 4:
            status = draw(st.integers(0, 65535))
        elif change == 5:
            t += 1000
        moves = draw(st.tuples(*[st.integers(-9, 9)] * 4))
        values = [min(max(v + d, 0), 65534) for v, d in zip(values, moves, strict=True)]
        readings.append(
            Reading(t, *[v if here else None for v, here in zip(values, there, strict=True)], status)
        )
        t += step
    return readings


READINGS = st.lists(READING, min_size=1, max_size=60) | likely_readings()


@given(CODEC, READINGS, st.integers(0, 2**32 - 1), st.integers(1, 2**31), FLAGS)
def test_readings_survive(codec, readings, boot, first_seq, flags):
    data = ENCODERS[codec](JOURNAL, boot, first_seq, readings, flags)
    header, back = block_reader.decode(data, JOURNAL)
    assert back == readings
    assert (header.codec, header.boot, header.first_seq, header.flags, header.count) == (
        codec,
        boot,
        first_seq,
        flags,
        len(readings),
    )
    assert block_reader.split(data * 3) == [data] * 3


@given(
    st.lists(
        st.tuples(st.integers(0, 2**40), st.integers(0, 255), st.binary(max_size=40)), min_size=1, max_size=60
    )
)
def test_events_survive(events):
    start = min(t_ms for t_ms, _, _ in events)
    events = [(start, 7, b""), *events]
    data = block_writer.encode_events(JOURNAL, 1, 1, events)
    assert [tuple(event) for event in block_reader.decode(data, JOURNAL)[1]] == events


def sealed(kind: int, codec: int, count: int, body: bytes) -> bytes:
    return block_writer.seal(JOURNAL, kind, codec, 0, count, 1, 1, 1000, body)


@given(st.sampled_from([(1, 1), (1, 2), (2, 0)]), st.integers(1, 255), st.binary(min_size=1, max_size=200))
def test_a_body_of_any_bytes_decodes_or_is_refused(kind_codec, count, body):
    data = sealed(*kind_codec, count, body)
    try:
        header, rows = block_reader.decode(data, JOURNAL)
    except RemoteError:
        return
    assert len(rows) == header.count == count
    if kind_codec[0] == 1:  # what is taken can be written, though not always with the same bytes
        again = ENCODERS[kind_codec[1]](JOURNAL, 1, 1, rows)
        assert block_reader.decode(again, JOURNAL)[1] == rows


@given(st.binary(max_size=300), st.integers(0, 320))
def test_any_bytes_at_any_offset(data, offset):
    for call in (
        lambda: block_layout.parse_header(data, offset),
        lambda: block_reader.decode(data, JOURNAL),
        lambda: block_reader.split(data),
        lambda: varint.get(data, offset),
        lambda: keys.decode(data),
        lambda: device_settings.decode(data),
    ):
        try:
            call()
        except RemoteError:
            continue
    assert block_layout.verify(data, JOURNAL) is False


@given(st.integers(0, 255), st.binary(max_size=120))
def test_any_payload_decodes_or_is_refused(kind, payload):
    try:
        record = record_reader.decode(kind, payload)
    except RemoteError:
        return
    if record is None:
        assert kind not in record_layout.LAYOUTS
    else:
        assert record_types.encode(record) == payload
        assert record_types.type_of(record) == kind


@given(st.integers(0, 2**56 - 1))
def test_varints_survive_and_have_one_form(value):
    out = bytearray(b"\x00")
    varint.put(out, value)
    assert varint.get(bytes(out), 1) == (value, len(out))
    assert varint.unzigzag(varint.zigzag(-value)) == -value


@given(likely_readings(), st.data())
def test_a_spoiled_body_of_codec_2_decodes_or_is_refused(readings, data):
    body = bytearray(codec2_writer.encode(readings, readings[0].t_ms))
    at = data.draw(st.integers(0, len(body) * 8 - 1))
    body[at >> 3] ^= 128 >> (at & 7)
    del body[data.draw(st.integers(1, len(body))) :]
    try:
        rows = codec2_reader.decode(bytes(body), len(readings), readings[0].t_ms)
    except RemoteError:
        return
    assert len(rows) == len(readings)


@given(READINGS)
def test_no_block_of_codec_2_outgrows_its_bound(readings):
    body = codec2_writer.encode(readings, readings[0].t_ms)
    # a row takes at most a change of time and one of state, with the rows since (16 bits), and 4 values of 17 bits
    assert len(body) * 8 <= 2 + 16 + 7 + len(readings) * (93 + 20 + 2 * 15) + 4 * 33 + len(readings) * 4 * 17
