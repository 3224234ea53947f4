"""`restore`: put a backup in the place of the store."""

from pathlib import Path
from typing import Annotated

import typer

from host_agent.clock import RealClock
from host_agent.paths import default_paths
from host_agent.store import backup as store_backup
from host_agent.terminal.alone import alone
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import show
from host_agent.terminal.progress import progress

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The backup to restore.")]


def restore(file: FileArgument, as_json: JsonOption = False) -> None:
    """Put a backup in the place of the store. Stop the agent first. The store that was there is kept beside it.

    The whole backup is checked before anything moves. The wearable sends again what it still has at the next sync.
    Records that were acknowledged since the backup and have left its flash will show as a gap, so restore and start
    the agent at once. Receivers may get events since the backup again, under the same keys.
    """
    paths = default_paths()
    with alone(paths, "restore"):
        kept = store_backup.restore(file, paths.database, RealClock().utc_ms(), progress("copied", "tables"))
        strange = store_backup.left_behind(file)
    lines = [f"Restored {paths.database} from {file}."]
    if kept is not None:
        lines.append(f"The store that was there before is now {kept}.")
    if strange:
        lines.append(
            f"Left out, because this program never makes it: {', '.join(strange)}. Somebody changed the backup:"
            " find out who, and compare with an older one."
        )
    lines.append(
        "Wearables send again what they still have. Records deleted since the backup will show as a gap."
    )
    show(
        {"database": str(paths.database), "kept": str(kept) if kept else None, "left_out": strange},
        lines,
        as_json=as_json,
    )
