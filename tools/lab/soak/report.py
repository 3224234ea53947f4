"""The report of a life: rows for a person, one object for a script."""

from collections.abc import Iterator, Mapping
from typing import Any

from tools.lab.soak.verdict import Verdict

_SHOWN = 20


def rows(verdict: Verdict, counts: Mapping[str, int], findings: list[str], seconds: float) -> Iterator[str]:
    """`row: NAME | FIGURE | target 0 | ok` (or `short`) where there is a target, then what was counted."""
    for name, wrong in (
        (f"losses over {sum(counts.values())} harms", verdict.losses),
        ("duplicates", verdict.duplicates),
        ("restarts that state their gap wrongly", verdict.misstated),
        ("problems in the store's own check", verdict.content),
        ("ends that no harm caused", findings),
    ):
        yield f"row: soak: {name} | {len(wrong)} | target 0 | {'short' if wrong else 'ok'}"
        yield from (f"  {text}" for text in wrong[:_SHOWN])
        if len(wrong) > _SHOWN:
            yield f"  and {len(wrong) - _SHOWN} more"
    yield f"row: soak: readings compared | {verdict.readings} | and {verdict.events} events, every one"
    yield f"row: soak: starts of the wearable | {verdict.boots} | {verdict.unnumbered_s} s stated as lost at most"
    yield f"row: soak: longest pause inside one start | {verdict.pause_s} s of its time | flash stalls"
    if verdict.skipped:
        yield f"row: soak: numbers never used | {verdict.skipped} | reported as gaps after torn writes"
    if verdict.unseen:
        yield f"row: soak: records not compared | {verdict.unseen} | dropped from flash before it was looked at"
    for kind, count in counts.items():
        yield f"row: soak: {kind} | {count} | harms"
    yield f"row: soak: took | {seconds / 60:.1f} min | "


def as_json(
    verdict: Verdict, counts: Mapping[str, int], findings: list[str], seed: int, seconds: float
) -> dict[str, Any]:
    """The report as plain values."""
    return {
        "passed": verdict.passed and not findings,
        **verdict._asdict(),
        "findings": findings,
        "harms": dict(counts),
        "seed": seed,
        "seconds": round(seconds, 1),
    }
