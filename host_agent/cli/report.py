"""`report hours`: for how long each patient was measured, day by day. `report summary`: one page about one of them."""

import os
from pathlib import Path
from typing import Annotated

import typer

from host_agent import NOTICE
from host_agent.clock import RealClock
from host_agent.errors import ConfigError, HostAgentError
from host_agent.paper.summary import pdf_of
from host_agent.paths import default_paths
from host_agent.people.asking import NoWearer
from host_agent.store.bindings import open_bindings
from host_agent.store.db import DatabaseError
from host_agent.terminal.broken import leave_when_broken
from host_agent.terminal.options import DeviceOption, JsonOption
from host_agent.terminal.output import nothing, show
from host_agent.terminal.progress import working
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.running_agent import live_status
from host_agent.terminal.times import parse_day, parse_span_s
from host_agent.text import SIMULATED, marked, span_text, table
from host_agent.views import report as view
from host_agent.views.hours import KINDS, hours_rows

report = typer.Typer(help="Reports from the store. They work without the agent.", no_args_is_help=True)
_SHORTEST_MS = 3_600_000
_HEADER = ("day", "patient", "bound", *(kind.replace("_", " ") for kind in KINDS), "")


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
    day = parse_day(day, "--day").isoformat() if day is not None else None
    paths = default_paths()
    live = live_status(paths)
    now_ms = live["now_utc_ms"] if live else RealClock().utc_ms()
    broken: dict[str, str] = {}
    with open_store(paths) as tx, working(lambda: "counting the readings"):
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


@report.command()
def summary(
    last: Annotated[
        str, typer.Option("--last", metavar="SPAN", help="How much of the past it shows: 1h to 14d.")
    ] = "24h",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE",
            help="PDF file to write. It must not exist yet. When left out: patient and time make its name.",
        ),
    ] = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Write one page about a patient for the emergency department, as a PDF file.

    It has the patient's pseudonym, the day since infusion, the product, the numbers to call, temperature and SpO2
    with their gaps, alarms with who accepted them, entries, grades as intervals, and what is not known. It is always
    one page: what does not fit is counted on it. In JSON the same data comes beside the name of the file.
    """
    span_ms = round(parse_span_s(last, "--last") * 1000)
    if not _SHORTEST_MS <= span_ms <= view.LONGEST_MS:
        raise ConfigError(
            f"--last: expected 1h to 14d, found {last!r}.",
            "Write for example --last 24h. A longer course: cytowatch export --every 1h",
        )
    paths = default_paths()
    live = live_status(paths)
    now_ms = live["now_utc_ms"] if live else RealClock().utc_ms()
    with open_store(paths) as tx:
        bound = [] if tx is None else open_bindings(tx)
        bound = [one for one in bound if one.device_id.hex().startswith((device or "").lower())]
        if tx is None or len(bound) != 1:
            why = NoWearer(len(bound), device or "")
            nothing(f"{why} {why.advice}", {"file": None, "summary": None}, as_json=as_json)
        try:
            with working(lambda: "reading the course"):
                data = view.summary(tx, bound[0], now_ms, span_ms)
        except (HostAgentError, DatabaseError):
            raise
        except Exception as error:  # a damaged row
            leave_when_broken({bound[0].device_id.hex(): f"{type(error).__name__}: {error}"})
            raise
    stamp = data["made"].partition(".")[0].replace(":", "").replace("T", "-")
    file = out or Path(f"cytowatch-{data['patient'] or 'patient'}-{stamp}Z.pdf")
    _write_new(file, pdf_of(data))
    text = f"{file}: one page about {data['patient']}, the last {span_text(span_ms / 1000)}. It holds a patient's data."
    show({"file": str(file), "summary": data}, [marked(data["simulated"], text)], as_json=as_json)


def _write_new(file: Path, content: bytes) -> None:
    """A file that only this user can read, and that did not exist."""
    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(
            f"{file} exists already; nothing was written.", "Give another --out FILE."
        ) from None
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written: {error.strerror}.", "Give another --out FILE."
        ) from None
    with os.fdopen(number, "wb") as opened:
        opened.write(content)


def _clock(span_ms: int) -> str:
    """`7:05`: hours and minutes, cut."""
    return f"{span_ms // 3_600_000}:{span_ms // 60_000 % 60:02d}"
