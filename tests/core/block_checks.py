"""The checks of tests/vectors/blocks.json without pytest, so that the same lines run on MicroPython and CPython."""

import binascii
import json

from crs_core import block, records
from crs_core.errors import RemoteError
from crs_core.units import Reading

from tools.rig import codec1_writer


def unhex(text):
    return binascii.unhexlify(text)


def refused(what, call, *args):
    """The RemoteError's sentence; anything else, or nothing, is a failure."""
    try:
        call(*args)
    except RemoteError as error:
        return str(error.args[0])
    raise AssertionError(what + ": taken")


def check_block(case, journal):
    data = unhex(case["bytes"])
    header, found = block.decode(data, journal)
    assert block.verify(data, journal) and block.block_len(data) == len(data), case["name"]
    assert (header.kind, header.boot, header.first_seq) == (case["kind"], case["boot"], case["first_seq"]), (
        case["name"]
    )
    assert header.count == len(case["records"]) and header.flags == case["flags"], case["name"]
    if header.kind == block.KIND_READINGS:
        expect = [Reading(*row) for row in case["records"]]
        encode = codec1_writer.encode_readings if header.codec == block.CODEC_ROWS else block.encode_readings
        again = encode(journal, header.boot, header.first_seq, found, header.flags)
    else:
        expect = [block.Event(t, kind, unhex(payload)) for t, kind, payload in case["records"]]
        again = block.encode_events(journal, header.boot, header.first_seq, found, header.flags)
    assert found == expect, (case["name"], found)
    assert again == data, case["name"]
    for garbage in (b"", b"\xc5", b"\xc5\x11\x10" + bytes(30)):  # found at an offset, too
        assert block.parse_header(garbage + data, len(garbage)) == header, case["name"]


def check_refused(case):
    data, journal = unhex(case["bytes"]), unhex(case["journal"])
    said = refused(case["name"], block.decode, data, journal)
    assert case["says"] in said, (case["name"], said)


def check_not_understood(case, journal):
    data = unhex(case["bytes"])
    header, found = block.decode(data, journal)
    assert found is None and block.verify(data, journal), case["name"]
    assert block.split(data + data) == [data, data], case["name"]
    assert header.count >= 1


def check_payload(case):
    data = unhex(case["bytes"])
    record = records.decode(case["type"], data)
    assert records.TYPES[case["type"]][0] == case["name"]
    assert records.encode(record) == data, (case["name"], record)
    assert records.type_of(record) == case["type"]


def run_all(folder):
    with open(folder + "/blocks.json") as file:  # noqa: PTH123 MicroPython has no pathlib
        doc = json.load(file)
    journal = unhex(doc["journal"])
    for case in doc["blocks"]:
        check_block(case, journal)
    for case in doc["refused"]:
        check_refused(case)
    for case in doc["not_understood"]:
        check_not_understood(case, journal)
    for case in doc["payloads"]:
        check_payload(case)
    for case in doc["payloads_refused"]:
        refused(case["name"], records.decode, case["type"], unhex(case["bytes"]))
    whole = [unhex(case["bytes"]) for case in doc["blocks"]]
    assert block.split(b"".join(whole)) == whole
    for size in range(1, len(whole[2])):
        refused(f"split at {size}", block.split, whole[0] + whole[2][:size])
    return sum([len(doc[key]) for key in doc if key != "journal"])
