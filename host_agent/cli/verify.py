"""`verify`: whether the store still says what the wearables sent."""

import typer

from host_agent.paths import default_paths
from host_agent.people.chain_check import verify as verify_chain
from host_agent.store.content_check import check_content
from host_agent.terminal import exits
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import nothing, show
from host_agent.terminal.progress import progress, working
from host_agent.terminal.reading_store import open_store


def verify(as_json: JsonOption = False) -> None:
    """Check that the store still says what was sent and signed. Exit code 1 on a problem.

    Each block is decoded again: its checksum shows damage, and comparing its rows shows each that was changed, lost
    or invented. Every number up to the last acknowledged one must be stored or answered by a gap. Roll-ups are
    added up again from the blocks. Readings that were removed on purpose (`store.keep_days`) are counted as
    `thinned`; their blocks are checked like all others.
    """
    with open_store(default_paths()) as tx:
        if tx is None:
            nothing("There is no store yet.", {"problems": 0}, as_json=as_json)
        report = check_content(tx, progress("checked", "blocks"))
        with working(lambda: "checking the signed entries"):
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
        lines.append("Signed entries were not checked. Repair these problems first.")
    lines.append(
        f"{report.journals} journals, {report.blocks} blocks, {report.readings} readings"
        f"{f' ({report.thinned} of them removed on purpose; their blocks are complete)' if report.thinned else ''},"
        f" {report.events} events, {report.gaps} gaps: {found} problem{'s' if found != 1 else ''}."
    )
    if found:
        lines.append(
            "Keep a copy of the state folder, stop the agent, then restore a backup with `cytowatch restore FILE`."
        )
    data = report._asdict() | {
        "problems": problems,
        "found": found,
        "signed": signed.rows if signed is not None else None,
    }
    show(data, lines, as_json=as_json)
    if found:
        raise typer.Exit(exits.FAILED)
