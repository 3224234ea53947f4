"""`history`: what happened, in order of time."""

from typing import Annotated

import typer

from host_agent.clock import RealClock
from host_agent.errors import ConfigError
from host_agent.paths import default_paths
from host_agent.terminal.options import DeviceOption, JsonOption
from host_agent.terminal.output import nothing, show
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.times import parse_moment_ms, parse_span_s
from host_agent.text import SIMULATED, local_of_iso
from host_agent.views.records import KINDS, Answer, Question, history_line

_DEFAULT = (
    "grades",
    "alarms",
    "gaps",
    "thinned",
    "restarts",
    "calibrations",
    "host_alarms",
    "context",
    "signed",
)
FromOption = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Only from this time on, e.g. 2026-03-31T14:05.")
]
ToOption = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Only before this time.")]
LastOption = Annotated[
    str | None, typer.Option("--last", metavar="SPAN", help="Only the last 90s, 5m, 2h or 7d.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(history)


def history(
    *,
    start: FromOption = None,
    end: ToOption = None,
    last: LastOption = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help=f"One of {', '.join(KINDS)}; may be repeated. Default: {', '.join(_DEFAULT)}.",
        ),
    ] = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show grades, alarms, gaps, restarts and more, oldest first."""
    kinds = check_kinds(kind or _DEFAULT)
    question = make_question(start, end, last, device)
    rows = []
    undated = 0
    with open_store(default_paths()) as tx:
        if tx is not None:
            answer = Answer(tx, question)
            rows = [{"kind": one, **row} for one in kinds for row in answer.rows(one)]
            undated = answer.undated
    rows.sort(key=lambda row: (row["at"] or "", row.get("seq") or 0))
    data = {"rows": rows, "undated_left_out": undated}
    if not rows:
        nothing("Nothing is stored for this question.", data, as_json=as_json)
    lines = [
        f"{local_of_iso(row['at'], with_date=True):19}  {SIMULATED + '  ' if row.get('simulated') else ''}"
        f"{history_line(row['kind'], row)}"
        for row in rows
    ]
    if undated:
        lines.append(
            f"{undated} records are left out: nothing dates them. Without --from, --to and --last they are shown."
        )
    show(data, lines, as_json=as_json)


def check_kinds(kinds: list[str] | tuple[str, ...]) -> list[str]:
    """The kinds, or ConfigError naming the wrong one."""
    for one in kinds:
        if one not in KINDS:
            raise ConfigError(f"--kind: expected one of {', '.join(KINDS)}, found {one!r}.", "Try --help.")
    return list(dict.fromkeys(kinds))


def make_question(start: str | None, end: str | None, last: str | None, device: str | None) -> Question:
    """The options as a question; ConfigError when they contradict each other."""
    if last and (start or end):
        raise ConfigError("--last cannot be combined with --from or --to.", "Use one or the other.")
    from_ms = parse_moment_ms(start, "--from") if start else None
    to_ms = parse_moment_ms(end, "--to") if end else None
    if last:
        from_ms = RealClock().utc_ms() - round(parse_span_s(last, "--last") * 1000)
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        raise ConfigError("--from is not before --to.", "Swap them.")
    return Question(from_ms, to_ms, device)
