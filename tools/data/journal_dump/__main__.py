"""List the records of a journal from a flash image or a directory, without changing it.

Exit 0: everything is valid. 1: some of it is damaged; each damage is named. 2: no journal could be read.
"""

import argparse
import json
import sys
from pathlib import Path

from host_agent.terminal.streams import run_clean
from tools.data.flash_image import is_in_use
from tools.data.journal_dump import report, source

_KINDS = {1: "readings", 2: "events"}


def _fields(record: dict) -> str:
    shown = {key: value for key, value in record.items() if key not in ("seq", "name", "t_ms", "type")}
    return " ".join(f"{key}={'-' if value is None else value}" for key, value in shown.items())


def show(found: dict, summary: bool) -> None:
    simulated = any(entry["simulated"] for entry in found["blocks"])
    print(f"journal {found['path']} id {found['journal_id'] or 'unknown'}{' SIMULATED' if simulated else ''}")
    binding = found["binding_id"] if (found["binding_id"] or "").strip("0") else "none"
    print(f"  binding {binding}, acknowledged up to {found['acked_seq']}")
    if not summary:
        for entry in found["blocks"]:
            kind = _KINDS.get(entry["kind"], f"kind {entry['kind']}")
            print(
                f"  {entry['first_seq']}..{entry['last_seq']} {kind} codec {entry['codec']} boot {entry['boot']} "
                f"from {entry['start_ms']} ms, {entry['length']} B at {entry['file']}+{entry['offset']}"
            )
            if entry["records"] is None:
                print("    this block could not be checked or decoded")
            for record in entry["records"] or []:
                text = str(_fields(record)).replace("\n", "\\n")
                print(f"    {record['seq']} {record['t_ms']} ms {record['name']} {text}")
    for boot in found["boots"]:
        print(f"  boot {boot['boot']}: {boot['first_seq']}..{boot['last_seq']}")
    for gap in found["gaps"]:
        print(f"  gap {gap['first']}..{gap['last']}")
    for fault in found["faults"]:
        print(f"  FAULT {fault['file']}+{fault['offset']} {fault['length']} B: {fault['why']}")
    print(
        f"  {found['records']} records in {len(found['blocks'])} blocks, head {found['head_seq']}, "
        f"{len(found['gaps'])} gaps, {len(found['faults'])} faults"
    )


def _journal_id(text: str) -> bytes:
    found = bytes.fromhex(text)
    if len(found) != 8:
        raise argparse.ArgumentTypeError(f"{len(found)} bytes, and a journal id has 8: 16 digits")
    return found


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.data.journal_dump", description=__doc__)
    parser.add_argument("source", type=Path, help="LittleFS image file, or a directory")
    parser.add_argument("--json", action="store_true", help="print everything as one JSON document")
    parser.add_argument("--summary", action="store_true", help="print ranges and faults only")
    offset_help = "byte at which the file system begins"
    parser.add_argument("--offset", type=lambda text: int(text, 0), default=0, help=offset_help)
    parser.add_argument("--journal-id", type=_journal_id, help="8 bytes in hex, if the header is unreadable")
    options = parser.parse_args(argv)
    try:
        files = source.files_of(options.source, options.offset)
    except (source.SourceError, OSError) as error:
        print(f"journal_dump: {error}", file=sys.stderr)
        return 2
    if options.source.is_file() and is_in_use(options.source):
        print(
            f"journal_dump: {options.source}: a virtual wearable is running on this image; "
            "what follows is what it held at one instant.",
            file=sys.stderr,
        )
    found = [report.journal(files, root, options.journal_id) for root in report.journal_roots(files)]
    if not found:
        print(f"journal_dump: {options.source}: no journal found", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({"source": str(options.source), "journals": found}, indent=1))
    else:
        for journal in found:
            show(journal, options.summary)
    return 1 if any(journal["faults"] for journal in found) else 0


if __name__ == "__main__":
    run_clean(main)
