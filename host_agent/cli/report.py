"""`report hours`: for how long each patient was measured, day by day."""

import datetime
from typing import Annotated

import typer

from host_agent import NOTICE
from host_agent.clock import RealClock
from host_agent.errors import ConfigError
from host_agent.paths import default_paths
from host_agent.terminal.broken import leave_when_broken
from host_agent.terminal.options import DeviceOption, JsonOption
from host_agent.terminal.output import nothing, show
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.running_agent import live_status
from host_agent.text import SIMULATED, table
from host_agent.views.hours import KINDS, hours_rows

report = typer.Typer(help="Reports from the store. They work without the agent.", no_args_is_help=True)
_HEADER = ("day", "patient", "bound", *(kind.replace("_", " ") for kind in KINDS), "")


@report.callback()
def _group() -> None:
    """Keeps `report hours` two words while it is the only report."""


@report.command()
def hours(
    day: Annotated[
        str | None, typer.Option("--day", metavar="DATE", help="Only this day, for example 2026-03-31.")
    ] = None,
    utc: Annotated[
        bool, typer.Option("--utc", help="Cut days by UTC instead of this computer's time zone.")
    ] = False,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show for each day how long each patient was measured and how long not, in hours and minutes.

    `bound` is how long the binding lasted on that day, up to now. A reading counts until the next one, but never
    longer than its interval. `temperature`, `spo2` and `both` count values that the grader can use. `pause` is an
    announced pause, `not worn` is off the body without one, and `lost` means that no reading is stored, whatever
    the reason. `charging` may overlap with each of them. In JSON every column is in ms: `both_ms`, and `span_ms` for
    `bound`. `undated_readings` counts readings without a known time.
    """
    if day is not None:
        try:
            day = datetime.date.fromisoformat(day).isoformat()
        except ValueError:
            raise ConfigError(
                f"--day: expected a date such as 2026-03-31, found {day!r}.", "Try --help."
            ) from None
    paths = default_paths()
    live = live_status(paths)
    now_ms = live["now_utc_ms"] if live else RealClock().utc_ms()
    broken: dict[str, str] = {}
    with open_store(paths) as tx:
        rows = (
            []
            if tx is None
            else hours_rows(tx, device=device, day=day, now_ms=now_ms, utc=utc, broken=broken)
        )
    data = {"notice": NOTICE, "zone": "UTC" if utc else "local", "rows": rows}
    if not rows:
        leave_when_broken(broken)
        nothing("Nobody was bound then, so there is nothing to count.", data, as_json=as_json)
    cells = [
        (
            row["day"], row["patient"] or "", *(_clock(row[f"{kind}_ms"]) for kind in ("span", *KINDS)),
            SIMULATED if row["simulated"] else "",
        )
        for row in rows
    ]  # fmt: skip
    lines = [NOTICE, *table(_HEADER, cells)]
    undated = {(row["device_id"], row["at"]): row["undated_readings"] for row in rows}
    if any(undated.values()):
        lines.append(f"{sum(undated.values())} readings without a known time are counted as lost.")
    show(data, lines, as_json=as_json)
    leave_when_broken(broken)


def _clock(span_ms: int) -> str:
    """`7:05`: hours and minutes, cut."""
    return f"{span_ms // 3_600_000}:{span_ms // 60_000 % 60:02d}"
