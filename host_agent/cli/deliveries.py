"""`deliveries`: which events receivers have not taken, why, and sending them again."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from crs_core import code_texts, codes

from host_agent.clock import RealClock
from host_agent.control.socket import AgentNotRunning, call_now
from host_agent.errors import ConfigError
from host_agent.paths import Paths, default_paths
from host_agent.printable import printable
from host_agent.store.db import Store
from host_agent.store.undelivered import Undelivered, retry_deliveries, undelivered
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import show
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.running_agent import in_memory, live_status
from host_agent.text import iso_utc, local_time, table, without_secrets

deliveries = typer.Typer(
    help="Show events that a receiver has not taken, or send them again.", invoke_without_command=True
)


@deliveries.callback()
def overview(context: typer.Context, as_json: JsonOption = False) -> None:
    """Without a command below: the same as `deliveries list`."""
    if context.invoked_subcommand is None:
        list_(as_json)


@deliveries.command(name="list")
def list_(as_json: JsonOption = False) -> None:
    """Show what waits and what was refused, with its number and the reason."""
    paths = default_paths()
    rows, unsaved = _rows(paths), in_memory(live_status(paths))
    fields = [_fields(row) for row in rows] + [_unsaved_fields(one) for one in unsaved]
    show({"deliveries": fields}, _lines(rows, unsaved), as_json=as_json)


@deliveries.command()
def retry(
    ids: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="ID", help="Numbers of deliveries, as `cytowatch deliveries list` shows them."
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every delivery that waits or was refused.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Send events again now that a receiver refused or did not take. Works with and without the agent."""
    if bool(ids) == everything:
        raise ConfigError(
            "Say which deliveries to send again.",
            "Give their numbers, or --all. They are in: cytowatch deliveries list",
        )
    paths = default_paths()
    known = {row.id for row in _rows(paths)}
    if unknown := [one for one in ids or () if one not in known]:
        numbers = ", ".join(map(str, unknown))
        raise ConfigError(
            f"No delivery waits or was refused under {numbers}.",
            "See their numbers: cytowatch deliveries list",
        )
    number, is_running = _retry(paths, sorted(known if everything else ids or ()))
    line = f"{number} deliver{'y is' if number == 1 else 'ies are'} sent again"
    line += " now." if is_running else " when the agent runs: cytowatch run"
    show({"retried": number, "agent_running": is_running}, [line], as_json=as_json)


def _rows(paths: Paths) -> list[Undelivered]:
    with open_store(paths) as tx:
        return [] if tx is None else undelivered(tx, RealClock().utc_ms())


def _retry(paths: Paths, ids: Sequence[int]) -> tuple[int, bool]:
    """(how many are sent again, whether the agent runs)."""
    try:
        return int(call_now(paths.socket, "deliveries_retry", ids=list(ids))["retried"]), True
    except AgentNotRunning:
        if not ids:
            return 0, False
        with Store(paths.ensure().database) as store:
            return store.write_now(lambda tx: retry_deliveries(tx, RealClock().utc_ms(), ids)), False


def _fields(row: Undelivered) -> dict[str, Any]:
    return {
        "id": row.id, "receiver": row.target, "alarm": _name(row), "priority": codes.PRIORITY_NAMES[row.priority & 3],
        "state": row.state, "attempts": row.attempts, "refused": row.refusals,
        "reason": without_secrets(row.last_error), "created": iso_utc(row.created_utc_ms), "stands": row.stands,
    }  # fmt: skip


def _name(row: Undelivered) -> str:
    """Of what is no alarm the name of its event: a grade rise, a test, or what somebody signed."""
    return code_texts.alarm_name(row.alarm) if row.alarm else printable(row.name) or "GRADE_RISE"


def _unsaved_fields(one: dict[str, Any]) -> dict[str, Any]:
    """An event that waits in the memory of the running agent, because the store takes nothing: it has no number."""
    return {
        "id": None, "receiver": one["receiver"], "alarm": one["alarm"],
        "priority": codes.PRIORITY_NAMES[one["priority"] & 3], "state": one["state"], "attempts": None, "refused": None,
        "reason": without_secrets(one["reason"]), "created": iso_utc(one["since_utc_ms"]), "stands": True,
    }  # fmt: skip


def _lines(rows: Sequence[Undelivered], unsaved: Sequence[dict[str, Any]]) -> list[str]:
    if not rows and not unsaved:
        return ["Every event was delivered, or there was none."]
    header = ("NUMBER", "SINCE", "RECEIVER", "PRIORITY", "ALARM", "STATE", "TRIES", "REASON")
    lines = table(
        header,
        [
            (row.id, local_time(row.created_utc_ms, with_date=True), row.target, codes.PRIORITY_NAMES[row.priority & 3],
             _name(row), row.state, row.attempts, without_secrets(row.last_error))
            for row in rows
        ] + [
            ("-", local_time(one["since_utc_ms"], with_date=True), one["receiver"],
             codes.PRIORITY_NAMES[one["priority"] & 3], one["alarm"], one["state"], "-", without_secrets(one["reason"]))
            for one in unsaved
        ],
    )  # fmt: skip
    return [*lines, "Send them again: cytowatch deliveries retry NUMBER, or --all"]
