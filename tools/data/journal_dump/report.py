"""The content of a journal as plain data: blocks with their records, damage, gaps, boots."""

import struct
import zlib
from collections.abc import Iterator

from crs_core.errors import RemoteError
from crs_core.journal import block_layout, block_reader, record_reader, record_types

_NO_ID = (
    "the header file is unreadable, so the journal id is unknown and no CRC can be checked; give --journal-id"
)


def two_slot(files: dict[str, bytes | None], path: str) -> bytes | None:
    """Payload of the newer valid slot of a two-slot file."""
    best: tuple[int, bytes] | None = None
    for slot in (f"{path}.0", f"{path}.1"):
        data = files.get(slot) or b""
        if len(data) < 10 or zlib.crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
            continue
        generation, size = struct.unpack_from("<IH", data)
        if size == len(data) - 10 and (best is None or generation > best[0]):
            best = generation, data[6:-4]
    return best[1] if best else None


def journal_roots(files: dict[str, bytes | None]) -> list[str]:
    """Every folder that looks like a journal: the current one and older ones that were replaced."""
    roots = set()
    for path in files:
        folder, _, name = path.rpartition("/")
        if name in ("header.0", "header.1"):
            roots.add(folder)
        if name.endswith(".seg") and folder.rpartition("/")[2] in ("r", "e"):
            roots.add(folder.rpartition("/")[0])
    return sorted(roots)


def journal(files: dict[str, bytes | None], root: str, journal_id: bytes | None = None) -> dict:
    """Report of the journal at `root`; `journal_id` is used when the header cannot be read."""
    head = two_slot(files, f"{root}/header")
    binding = b""
    if head is not None and len(head) == 21:
        journal_id, binding = head[1:9], head[9:17]
    report: dict = {
        "path": root or "/", "journal_id": journal_id.hex() if journal_id else None,
        "binding_id": binding.hex() or None, "blocks": [], "faults": [], "gaps": [], "boots": [],
        "records": 0, "head_seq": 0,
    }  # fmt: skip
    if journal_id is None:
        _fault(report, f"{root}/header", _NO_ID)
    mark = two_slot(files, f"{root}/mark")
    report["acked_seq"] = struct.unpack_from("<I", mark)[0] if mark and len(mark) >= 4 else 0
    for path in sorted(files):
        if path.startswith((f"{root}/r/", f"{root}/e/")) and path.endswith(".seg"):
            _segment(report, path, files[path], journal_id)
    report["blocks"].sort(key=lambda found: (found["first_seq"], found["file"], found["offset"]))
    _ranges(report)
    return report


def _fault(report: dict, file: str, why: str, offset: int = 0, length: int = 0) -> None:
    report["faults"].append({"file": file, "offset": offset, "length": length, "why": why})


def _segment(report: dict, path: str, data: bytes | None, journal_id: bytes | None) -> None:
    if data is None:
        _fault(report, path, "the file system cannot read it")
        return
    for at, length, header in _walk(data, journal_id):
        if header is None:
            _fault(report, path, "no valid block (CRC, header or cut)", at, length)
            continue
        found = {
            "file": path, "offset": at, "length": length, "first_seq": header.first_seq,
            "last_seq": block_layout.last_seq(header), "kind": header.kind, "codec": header.codec, "boot": header.boot,
            "start_ms": header.start_ms, "simulated": bool(header.flags & block_layout.FLAG_SIMULATED), "records": None,
        }  # fmt: skip
        report["blocks"].append(found)
        if journal_id is None:
            continue
        try:
            rows = block_reader.decode(data[at : at + length], journal_id)[1]
        except RemoteError as error:
            _fault(report, path, str(error), at, length)
            continue
        if rows is not None:
            found["records"] = [_record(header.first_seq + i, row) for i, row in enumerate(rows)]


def _walk(data: bytes, journal_id: bytes | None) -> Iterator[tuple[int, int, block_layout.Header | None]]:
    """(offset, length, header); the header is None for bytes that are not a block of this journal."""
    at, bad_from = 0, None
    while at < len(data):
        try:
            header = block_layout.parse_header(data, at)
            length = header.body_len + block_layout.OVERHEAD
            whole = data[at : at + length]
            valid = block_layout.verify(whole, journal_id) if journal_id else len(whole) == length
        except RemoteError:
            valid = False
        if not valid:
            bad_from = at if bad_from is None else bad_from
            at = data.find(bytes([block_layout.MAGIC]), at + 1)
            if at < 0:
                break
            continue
        if bad_from is not None:
            yield bad_from, at - bad_from, None
            bad_from = None
        yield at, length, header
        at += length
    if bad_from is not None:
        yield bad_from, len(data) - bad_from, None


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _record(seq: int, row: tuple) -> dict:
    if not isinstance(row, block_layout.Event):
        return {"seq": seq, "name": "READING", **row._asdict()}
    named = {"seq": seq, "name": f"type {row.type}", "t_ms": row.t_ms, "type": row.type}
    try:
        decoded = record_reader.decode(row.type, row.payload)
    except RemoteError as error:
        return {**named, "payload": row.payload.hex(), "fault": str(error)}
    if decoded is None:
        return {**named, "payload": row.payload.hex()}
    fields = {key: _plain(value) for key, value in decoded._asdict().items()}
    if "type" in fields:
        fields["merged_type"] = fields.pop("type")
    return {**named, "name": record_types.TYPES[row.type][0], **fields}


def _ranges(report: dict) -> None:
    """Add gaps between sequence 1 and the head, boots with their ranges, and sequence numbers with two contents."""
    expected = 1
    boots: dict[int, dict] = {}
    seen: dict[int, dict] = {}
    for found in report["blocks"]:
        if found["first_seq"] > expected:
            report["gaps"].append({"first": expected, "last": found["first_seq"] - 1})
        expected = max(expected, found["last_seq"] + 1)
        new_boot = {"boot": found["boot"], "first_seq": found["first_seq"], "last_seq": 0}
        boot = boots.setdefault(found["boot"], new_boot)
        boot["last_seq"] = max(boot["last_seq"], found["last_seq"])
        for record in found["records"] or []:
            other = seen.setdefault(record["seq"], record)
            if other is record:
                report["records"] += 1
            elif other != record:
                why = f"sequence {record['seq']} has two contents"
                _fault(report, found["file"], why, found["offset"])
    report["boots"] = [boots[number] for number in sorted(boots)]
    report["head_seq"] = expected - 1
