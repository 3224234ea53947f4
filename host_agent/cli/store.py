"""`backup`, `restore`, `verify`: the whole store in one file, back again, and whether it still says what came."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from host_agent.clock import RealClock
from host_agent.control.socket import AgentNotRunning, call_now
from host_agent.errors import HostAgentError
from host_agent.paths import default_paths
from host_agent.people.chain_check import verify as verify_chain
from host_agent.store import backup as store_backup
from host_agent.store.content_check import check_content
from host_agent.terminal import exits
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import nothing, show
from host_agent.terminal.reading_store import open_store

_TELL_EVERY_S = 2.0
_ASK_AGENT_S = 3.0

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backup)
    app.command()(restore)
    app.command()(verify)


def backup(file: FileArgument, as_json: JsonOption = False) -> None:
    """Copy the store, as it is at one moment, to a new file; the agent may run meanwhile. Keys are not in it."""
    database = default_paths().database
    if not database.exists():
        nothing("There is no store yet; nothing was written.", {"file": None}, as_json=as_json)
    size = store_backup.back_up(database, file, _teller("copied", "pages"))
    store_backup.check_backup(file)
    show(
        {"file": str(file), "bytes": size},
        [
            f"{file}: {size / 1e6:.1f} MB, read back and whole. It holds patients' data: keep it as you keep those.",
            "Keys of wearables and accounts are not in it.",
        ],
        as_json=as_json,
    )


def restore(file: FileArgument, as_json: JsonOption = False) -> None:
    """Put a backup in the place of the store; the store that was there is kept beside it. Stop the agent first."""
    paths = default_paths().ensure()
    try:
        call_now(paths.socket, "status", timeout_s=_ASK_AGENT_S)
    except AgentNotRunning:
        pass
    except HostAgentError:
        raise _running() from None
    else:
        raise _running()
    kept = store_backup.restore(file, paths.database, RealClock().utc_ms(), _teller("copied", "pages"))
    lines = [f"{paths.database} is what {file} held."]
    if kept is not None:
        lines.append(f"The store that was there: {kept}")
    lines.append(
        "What wearables still hold comes again with the next sync; what they let go since is told as a gap."
    )
    show({"database": str(paths.database), "kept": str(kept) if kept else None}, lines, as_json=as_json)


def verify(as_json: JsonOption = False) -> None:
    """Decode every block again, compare its rows, look for holes, check what was signed. Exit 1 on a problem."""
    with open_store(default_paths()) as tx:
        if tx is None:
            nothing("There is no store yet.", {"problems": 0}, as_json=as_json)
        report = check_content(tx, _teller("checked", "blocks"))
        signed = verify_chain(tx, None) if not report.found else None
    problems = list(report.problems)
    if signed is not None:
        problems += [
            f"signed row {seq}: {text}" if seq else f"signed: {text}" for seq, text in signed.problems
        ]
    found = report.found + (len(signed.problems) if signed is not None else 0)
    lines = [f"problem  {text}" for text in problems]
    if found > len(problems):
        lines.append(f"problem  and {found - len(problems)} more")
    if report.found:
        lines.append("What was signed was not checked: mend these first.")
    lines.append(
        f"{report.journals} journals, {report.blocks} blocks, {report.readings} readings"
        f"{f' ({report.thinned} of them removed on purpose, their blocks are whole)' if report.thinned else ''},"
        f" {report.events} events, {report.gaps} gaps: {found} problem{'s' if found != 1 else ''}."
    )
    if found:
        lines.append("Keep a copy of the state folder, stop the agent, then `cytowatch restore` a backup.")
    data = report._asdict() | {
        "problems": problems,
        "found": found,
        "signed": signed.rows if signed is not None else None,
    }
    show(data, lines, as_json=as_json)
    if found:
        raise typer.Exit(exits.FAILED)


def _running() -> HostAgentError:
    return HostAgentError(
        "The agent runs on this state folder: it would go on writing the store that is replaced.",
        "Stop it (Ctrl-C, or SIGTERM to its pid), restore, then start it again at once.",
    )


def _teller(did: str, what: str) -> Callable[[int, int], None]:
    """Progress on stderr, not more often than every two seconds."""
    next_s = time.monotonic() + _TELL_EVERY_S

    def tell(done: int, total: int) -> None:
        nonlocal next_s
        if time.monotonic() >= next_s:
            next_s = time.monotonic() + _TELL_EVERY_S
            print(f"{did} {done:,} of {total:,} {what}", file=sys.stderr)

    return tell
