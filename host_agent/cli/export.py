"""`export`: stored records as CSV or JSON lines, to a file or standard output."""

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from host_agent.errors import ConfigError, HostAgentError
from host_agent.paths import default_paths
from host_agent.printable import printable
from host_agent.store.db import Tx
from host_agent.store.retention import thinnings
from host_agent.store.rollups import BUCKET_MS
from host_agent.terminal import exits
from host_agent.terminal.broken import leave_when_broken
from host_agent.terminal.options import DeviceOption
from host_agent.terminal.output import say
from host_agent.terminal.progress import working
from host_agent.terminal.question import FromOption, LastOption, ToOption, check_kinds, make_question
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.streams import CleanStream
from host_agent.terminal.times import parse_span_s
from host_agent.terminal.words import chosen, offering
from host_agent.views.records import KINDS, Answer

FORMATS = ("csv", "jsonl")
_BUCKETS_MAX = 7 * 86_400_000 // BUCKET_MS
# long and the same in every row: a table has its id, and --kind calibrations the text
_JSON_ALONE = "calibration_text"


def export(
    *,
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            metavar="KIND",
            autocompletion=offering(KINDS),
            help=f"Which records: one of {', '.join(KINDS)}.",
        ),
    ] = "readings",
    form: Annotated[
        str,
        typer.Option(
            "--format", metavar="FORMAT", autocompletion=offering(FORMATS), help="Format: csv or jsonl."
        ),
    ] = "csv",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write here instead of standard output."),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(
            "--every",
            metavar="SPAN",
            help="For readings only: one row for each 5m of the wearable's clock, or for a multiple such as 1h.",
        ),
    ] = None,
    start: FromOption = None,
    end: ToOption = None,
    last: LastOption = None,
    device: DeviceOption = None,
) -> None:
    """Write stored records in raw integer units, one row each. The column or field `simulated` marks simulated data.

    With --every a row is a roll-up. `n` counts its readings: five minutes at 10 s are 30, so a smaller number shows
    that time is missing. For temperature, saturation and heart rate it has how many values the grader can use
    (`temp_n`, `spo2_n`, `hr_n`), and their minimum, rounded mean and maximum; these are empty (`null`) where there
    is no value.

    Rows are cut by the wearable's own clock since its start (`boot`, `t_ms`). The time `at`, when a row begins, may
    become more exact later, but the content of a row never changes. --from and --to choose rows that begin in that
    time. Two sites, or simulated and measured readings, never share a row.
    """
    (kind,) = check_kinds([kind])
    form = chosen(form, FORMATS, "--format")
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
        broken = answer.broken if answer is not None else {}
        if first is None:
            leave_when_broken(broken)
            say("Nothing is stored for this question; nothing was written.")
            raise typer.Exit(exits.NO_DATA)
        with _target(out) as file:
            written = _write(file, first, rows, form)
    left_out = (
        f"; {answer.undated} without a known time left out" if answer is not None and answer.undated else ""
    )
    say(f"{written} {'rows of readings' if buckets else kind} written{left_out}")
    leave_when_broken(broken)


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


def _tell_removed(tx: Tx) -> None:
    removed = sum(one.readings for one in thinnings(tx))
    if removed:
        say(
            f"{removed} readings of earlier patients were removed as configured and are not in this export."
            " See their roll-ups with --every 5m, and what was removed with `cytowatch history --kind thinned`."
        )


def _write(file: TextIO, first: dict[str, Any], rest: Iterator[dict[str, Any]], form: str) -> int:
    writer = csv.writer(file, lineterminator="\n")
    if form == "csv":
        writer.writerow(name for name in first if name != _JSON_ALONE)
    written = 0
    with working(lambda: f"{written:,} rows written so far"):
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
    if isinstance(value, str):
        return ("'" if value[:1] in ("=", "+", "-", "@") else "") + printable(value)
    return value


@contextmanager
def _target(out: Path | None) -> Iterator[TextIO]:
    if out is None:
        if isinstance(sys.stdout, CleanStream):
            sys.stdout.for_programs()
        yield sys.stdout
        return
    # a file that is there stays as it is until the new one is whole; a pipe or a device has no place beside it
    target = out.with_name(f".{out.name}.part") if out.is_file() or not out.exists() else out
    try:
        try:
            with target.open("w", encoding="utf-8", newline="") as file:
                yield file
            if target is not out:
                target.replace(out)
        finally:
            if target is not out:
                target.unlink(missing_ok=True)
    except OSError as error:
        raise HostAgentError(
            f"{out}: cannot be written ({error.strerror}).", "Give another path with --out."
        ) from None
