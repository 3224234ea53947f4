"""`export`: stored records as CSV or JSON lines, to a file or standard output."""

import csv
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from host_agent.cli.history import FromOption, LastOption, ToOption, check_kinds, make_question
from host_agent.errors import ConfigError, HostAgentError
from host_agent.paths import default_paths
from host_agent.store.rollups import BUCKET_MS
from host_agent.terminal import exits
from host_agent.terminal.options import DeviceOption
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.times import parse_span_s
from host_agent.views.records import KINDS, Answer

FORMATS = ("csv", "jsonl")
_BUCKETS_MAX = 7 * 86_400_000 // BUCKET_MS
_JSON_ALONE = (
    "calibration_text"  # long and the same in every row: a table has its id, and --kind calibrations the text
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    *,
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", help=f"One of {', '.join(KINDS)}.")
    ] = "readings",
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="csv or jsonl.")] = "csv",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write here instead of standard output."),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(
            "--every",
            metavar="SPAN",
            help="Readings alone: one row for each 5m of the wearable's clock, or a multiple such as 1h.",
        ),
    ] = None,
    start: FromOption = None,
    end: ToOption = None,
    last: LastOption = None,
    device: DeviceOption = None,
) -> None:
    """Write stored records, raw integer units, one row each. A column or field `simulated` marks simulated data."""
    check_kinds([kind])
    if form not in FORMATS:
        raise ConfigError(f"--format: expected csv or jsonl, found {form!r}.", "Try --help.")
    buckets = _buckets(every, kind)
    question = make_question(start, end, last, device)
    with open_store(default_paths()) as tx:
        answer = Answer(tx, question) if tx is not None else None
        rows: Iterator[dict[str, Any]] = iter(())
        if answer is not None:
            rows = answer.rollups(buckets) if buckets else answer.rows(kind)
        first = next(rows, None)
        if tx is not None and kind == "readings" and not buckets:
            _tell_removed(tx)
        if first is None:
            print("Nothing is stored for this question; nothing was written.", file=sys.stderr)
            raise typer.Exit(exits.NO_DATA)
        with _target(out) as file:
            written = _write(file, first, rows, form)
    left_out = (
        f"; {answer.undated} left out, nothing dates them" if answer is not None and answer.undated else ""
    )
    print(f"{written} {'rows of readings' if buckets else kind} written{left_out}", file=sys.stderr)


def _buckets(every: str | None, kind: str) -> int:
    """How many roll-ups of five minutes make one row; 0: no roll-ups are asked for."""
    if every is None:
        return 0
    if kind != "readings":
        raise ConfigError(f"--every is for readings, not for {kind}.", "Leave --every or --kind out.")
    buckets, rest = divmod(round(parse_span_s(every, "--every") * 1000), BUCKET_MS)
    if rest or not 0 < buckets <= _BUCKETS_MAX:
        raise ConfigError(
            f"--every: expected 5m or a multiple of it up to 7d, found {every!r}.", "Try --help."
        )
    return buckets


def _tell_removed(tx: sqlite3.Connection) -> None:
    removed = tx.execute("SELECT coalesce(sum(readings), 0) FROM thinnings").fetchone()[0]
    if removed:
        print(
            f"{removed} readings of patients who left were removed as configured and are not in this export."
            " Their roll-ups: --every 5m. When and which: cytowatch history --kind thinned.",
            file=sys.stderr,
        )


def _write(file: TextIO, first: dict[str, Any], rest: Iterator[dict[str, Any]], form: str) -> int:
    writer = csv.writer(file, lineterminator="\n")
    if form == "csv":
        writer.writerow(name for name in first if name != _JSON_ALONE)
    written = 0
    for row in _chain(first, rest):
        if form == "csv":
            writer.writerow([_cell(value) for name, value in row.items() if name != _JSON_ALONE])
        else:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        written += 1
    return written


def _chain(first: dict[str, Any], rest: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    yield from rest


def _cell(value: Any) -> Any:
    """Booleans as 0 and 1, lists and objects as JSON; text that a spreadsheet would run as a formula is quoted."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@"):
        return "'" + value
    return value


@contextmanager
def _target(out: Path | None) -> Iterator[TextIO]:
    if out is None:
        yield sys.stdout
        return
    try:
        with out.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise HostAgentError(
            f"{out}: cannot be written ({error.strerror}).", "Give another path with --out."
        ) from None
