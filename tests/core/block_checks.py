"""Blocks, both codecs of readings and event payloads: the golden vectors of tests/vectors/blocks.json."""

import binascii
import json

from crs_core.errors import RemoteError
from crs_core.journal import block_layout, block_reader, block_writer, record_reader, record_types
from crs_core.units import Reading

from tests.core.raising import raised
from tools.rig import codec1_writer

with open(__file__.rsplit("/", 2)[0] + "/vectors/blocks.json") as file:  # noqa: PTH123 MicroPython has no pathlib
    BLOCKS = json.load(file)


def unhex(text):
    return binascii.unhexlify(text)


def check_every_case_is_there():
    assert sum([len(BLOCKS[key]) for key in BLOCKS if key != "journal"]) > 80
    assert {case["type"] for case in BLOCKS["payloads"]} == set(record_types.TYPES)


def check_blocks_both_ways():
    journal = unhex(BLOCKS["journal"])
    for case in BLOCKS["blocks"]:
        name, data = case["name"], unhex(case["bytes"])
        header, found = block_reader.decode(data, journal)
        assert block_layout.verify(data, journal) and block_layout.block_len(data) == len(data), name
        head = (header.kind, header.boot, header.first_seq, header.flags, header.count)
        assert head == (case["kind"], case["boot"], case["first_seq"], case["flags"], len(case["records"])), (
            name
        )
        if header.kind == block_layout.KIND_READINGS:
            expect = [Reading(*row) for row in case["records"]]
            is_codec1 = header.codec == block_layout.CODEC_ROWS
            encode = codec1_writer.encode_readings if is_codec1 else block_writer.encode_readings
        else:
            expect = [block_layout.Event(t, kind, unhex(payload)) for t, kind, payload in case["records"]]
            encode = block_writer.encode_events
        assert found == expect, (name, found)
        assert encode(journal, header.boot, header.first_seq, found, header.flags) == data, name
        for garbage in (b"", b"\xc5", b"\xc5\x11\x10" + bytes(30)):  # found at an offset, too
            assert block_layout.parse_header(garbage + data, len(garbage)) == header, name


def check_refused_blocks():
    for case in BLOCKS["refused"]:
        said = raised(RemoteError, block_reader.decode, unhex(case["bytes"]), unhex(case["journal"]))
        assert case["says"] in said, (case["name"], said)


def check_blocks_that_are_not_understood():
    for case in BLOCKS["not_understood"]:
        data, journal = unhex(case["bytes"]), unhex(BLOCKS["journal"])
        header, found = block_reader.decode(data, journal)
        assert found is None and header.count >= 1 and block_layout.verify(data, journal), case["name"]
        assert block_reader.split(data + data) == [data, data], case["name"]


def check_payloads_both_ways():
    for case in BLOCKS["payloads"]:
        data = unhex(case["bytes"])
        record = record_reader.decode(case["type"], data)
        assert record_types.TYPES[case["type"]][0] == case["name"]
        assert record_types.encode(record) == data, (case["name"], record)
        assert record_types.type_of(record) == case["type"]


def check_refused_payloads():
    for case in BLOCKS["payloads_refused"]:
        raised(RemoteError, record_reader.decode, case["type"], unhex(case["bytes"]))


def check_blocks_in_a_row_are_split():
    whole = [unhex(case["bytes"]) for case in BLOCKS["blocks"]]
    assert block_reader.split(b"".join(whole)) == whole
    for size in range(1, len(whole[2])):
        raised(RemoteError, block_reader.split, whole[0] + whole[2][:size])
