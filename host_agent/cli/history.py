"""`history`: what happened, in order of time."""

from typing import Annotated, Any

import typer

from host_agent.errors import ConfigError
from host_agent.paths import default_paths
from host_agent.terminal.broken import leave_when_broken
from host_agent.terminal.config_option import find_config
from host_agent.terminal.options import DeviceOption, JsonOption, PatientOption
from host_agent.terminal.output import nothing, show
from host_agent.terminal.pager import NoPagerOption
from host_agent.terminal.progress import working
from host_agent.terminal.question import FromOption, LastOption, ToOption, check_kinds, make_question
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.record_lines import history_line
from host_agent.terminal.words import offering
from host_agent.text import SIMULATED, local_of_iso
from host_agent.views.of_patient import OfPatient
from host_agent.views.records import KINDS, Answer

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
    "acceptances",
    "acts",
    "bindings",
)


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
            autocompletion=offering(KINDS),
            help=f"Which rows: one of {', '.join(KINDS)}. Give it several times for several kinds."
            f" Default: {', '.join(_DEFAULT)}.",
        ),
    ] = None,
    device: DeviceOption = None,
    patient: PatientOption = None,
    no_pager: NoPagerOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show grades, alarms, gaps, restarts, acts that somebody stood for and more, oldest first.

    `--kind told --patient P-1` shows who was told what about one patient: when, over which receiver, what became of it,
    and who accepted the alarm. The name of a contact is that of today's configuration.
    """
    kinds = check_kinds(kind or _DEFAULT)
    question = make_question(start, end, last, device)
    rows: list[dict[str, Any]] = []
    undated = 0
    broken: dict[str, str] = {}
    with open_store(default_paths()) as tx:
        if tx is not None:
            answer = Answer(tx, question)
            asked = None if patient is None else OfPatient(tx, patient)
            people = _people() if "told" in kinds else {}
            with working(lambda: f"reading, {len(rows):,} rows so far"):
                for one in kinds:
                    rows += [
                        {
                            "kind": one,
                            **row,
                            **({"contact": people.get(row["receiver"])} if one == "told" else {}),
                        }
                        for row in answer.rows(one)
                        if asked is None or row in asked
                    ]
            undated = answer.undated
            broken = answer.broken
    rows.sort(key=lambda row: (row["at"] or "", row.get("seq") or 0))
    data = {"rows": rows, "undated_left_out": undated, "broken": broken}
    if not rows and not broken:
        nothing("Nothing is stored for this question.", data, as_json=as_json)
    lines = [] if as_json else [line for row in rows if (line := _line(row, broken))]
    if undated:
        lines.append(
            f"{undated} records without a known time are left out. Leave out --from, --to and --last to see them."
        )
    show(data, lines, as_json=as_json, pages=not no_pager)
    leave_when_broken(broken)


def _people() -> dict[str, str]:
    """Receiver → contact; a configuration that cannot be read hides nothing else."""
    try:
        return find_config(default_paths(), None).people
    except ConfigError:
        return {}


def _line(row: dict[str, Any], broken: dict[str, str]) -> str:
    """One row for people; "" for a row that cannot be written, which is then added to `broken`."""
    try:
        at = local_of_iso(row["at"], with_date=True)
        return f"{at:19}  {SIMULATED + '  ' if row.get('simulated') else ''}{history_line(row['kind'], row)}"
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        broken[str(row.get("device_id") or "this laptop")] = f"{type(error).__name__}: {error}"
        return ""
