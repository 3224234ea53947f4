"""`backup`: the whole store in one file."""

from pathlib import Path
from typing import Annotated

import typer

from host_agent.paths import default_paths
from host_agent.plain_file import kind_of
from host_agent.store import backup as store_backup
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import nothing, show
from host_agent.terminal.progress import progress, working

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="File to write. It must not exist yet.")]


def backup(file: FileArgument, as_json: JsonOption = False) -> None:
    """Copy the store as it is now to a new file. The agent may run meanwhile. Keys are not in the copy.

    The copy is one SQLite database that only you can read. It is read back and checked before the command reports
    it, and a backup that breaks off leaves no file. It holds patients' data. Keys of wearables and of accounts are
    separate files and are not copied: enrol the wearable again on another laptop.
    """
    database = default_paths().database
    if not kind_of(database):
        nothing("There is no store yet; nothing was written.", {"file": None}, as_json=as_json)
    size = store_backup.back_up(database, file, progress("copied", "pages"))
    with working(lambda: f"reading {file} back"):
        store_backup.check_backup(file)
    show(
        {"file": str(file), "bytes": size},
        [
            f"{file}: {size / 1e6:.1f} MB, read back and complete. Protect it: it holds patients' data.",
            "It does not hold the keys of wearables and accounts.",
        ],
        as_json=as_json,
    )
