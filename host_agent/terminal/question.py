"""What of the store a command asks for: kinds of rows and a span of time."""

from typing import Annotated

import typer

from host_agent.clock import RealClock
from host_agent.errors import ConfigError
from host_agent.terminal.times import parse_moment_ms, parse_span_s
from host_agent.terminal.words import chosen
from host_agent.views.records import KINDS, Question

FromOption = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="TIME", help="Only from this time on: 2026-03-31T14:05, 03:10, yesterday 22:00."
    ),
]
ToOption = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Only before this time.")]
LastOption = Annotated[
    str | None, typer.Option("--last", metavar="SPAN", help="Only the last 90s, 5m, 2h or 7d.")
]


def check_kinds(kinds: list[str] | tuple[str, ...]) -> list[str]:
    """The kinds, or ConfigError naming the wrong one."""
    return list(dict.fromkeys(chosen(one, KINDS, "--kind") for one in kinds))


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
