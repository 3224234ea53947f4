"""`audit`: the chain of everything that was signed."""

import re
from typing import Annotated, Any

import typer

from host_agent.errors import ConfigError, StoreError
from host_agent.paths import default_paths
from host_agent.people import chain
from host_agent.people.asking import REFUSED
from host_agent.people.chain_check import verify as verify_chain
from host_agent.people.chain_heads import read_elsewhere
from host_agent.people.entry import MalformedEntryError, decode
from host_agent.store.audit import AuditRow, audit_rows
from host_agent.store.counters import counters
from host_agent.terminal import exits
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import nothing, show
from host_agent.terminal.reading_store import open_store
from host_agent.text import iso_utc, local_of_iso

_HEAD = re.compile("[0-9a-f]{64}")
audit = typer.Typer(help="The chain of everything that was signed.", no_args_is_help=True)


@audit.command("list")
def list_entries(as_json: JsonOption = False) -> None:
    """Show every signed entry, oldest first."""
    with open_store(default_paths()) as tx:
        data = [] if tx is None else [_row(row) for row in audit_rows(tx)]
    if not data:
        nothing("Nothing was signed here yet.", {"entries": []}, as_json=as_json)
    lines = [
        f"{row['audit']:>5}  {local_of_iso(row['at'], with_date=True):19}  {row['kind']:15}  {row['account'] or '?':15}"
        f"  {row['entry']}" + (f"  patient {row['patient']}" if row["patient"] else "")
        for row in data
    ]
    show({"entries": data}, lines, as_json=as_json)


def _row(row: AuditRow) -> dict[str, Any]:
    try:
        entry = decode(row.entry)
    except MalformedEntryError:  # somebody changed it: `audit verify` says more
        entry = None
    return {
        "audit": row.seq, "at": iso_utc(row.stored_utc_ms), "kind": row.kind, "entry": row.entry_id,
        "account": entry.account if entry else None, "patient": entry.patient if entry else None,
        "values": entry.values if entry else None, "refers_to": entry.refers_to if entry else None,
        "hash": row.hash.hex(), "signature": row.signature.hex(),
    }  # fmt: skip


@audit.command()
def verify(
    head: Annotated[
        str | None,
        typer.Option(
            "--head", metavar="HASH", help="A head that you noted earlier. It must still be in the chain."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check every signature and hash of the chain, every row made from it, and what is known of it elsewhere.

    Elsewhere are the events for receivers (their `audit_head`), the entries that wearables journaled, the file
    audit.head, the accounts whose keys are on this laptop, and a head that you noted. Exit code 1 on a problem.
    """
    if head is not None and not _HEAD.fullmatch(head := head.strip().lower()):
        raise ConfigError(
            f"--head: expected the 64 characters of a head (0-9, a-f), found {head!r}.",
            "Copy it whole: `cytowatch audit verify` shows it, and so does `audit_head` of an event.",
        )
    paths = default_paths()
    elsewhere = read_elsewhere(paths)
    with open_store(paths) as tx:
        if not elsewhere.knows_a_chain and (tx is None or (chain.head(tx).seq == 0 and head is None)):
            nothing(
                "Nothing was signed here yet.", {"rows": 0, "head": None, "problems": []}, as_json=as_json
            )
        if tx is None:
            raise StoreError(
                f"{paths.database} is not there, and entries were signed here.",
                "Restore a backup: cytowatch restore",
            )
        report = verify_chain(tx, head, elsewhere)
        refused = {
            name.removeprefix(REFUSED): number
            for name, number in counters(tx).items()
            if name.startswith(REFUSED)
        }
    data = {
        "rows": report.rows, "head": report.head, "refused": refused,
        "problems": [{"audit": seq, "text": text} for seq, text in report.problems], "given_up": report.given_up,
    }  # fmt: skip
    lines = [f"{report.rows} entries. Head: {report.head}"]
    lines += [
        f"problem  {'row ' + str(seq) + ': ' if seq is not None else ''}{text}"
        for seq, text in report.problems
    ]
    lines += [f"given up  {text}" for text in report.given_up]
    lines += [f"refused  {number} for {why.replace('_', ' ')}" for why, number in sorted(refused.items())]
    lines.append("No problem was found. Note the head elsewhere: it shows later whether rows were cut off."
                 if not report.problems else _number(len(report.problems)))  # fmt: skip
    show(data, lines, as_json=as_json)
    if report.problems:
        raise typer.Exit(exits.FAILED)


def _number(problems: int) -> str:
    return "1 problem was found." if problems == 1 else f"{problems} problems were found."
