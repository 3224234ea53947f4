"""`restore`: put a backup in the place of the store."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from host_agent.clock import RealClock
from host_agent.control.guard import GuardNeeded, stands_text
from host_agent.errors import HostAgentError, StoreError
from host_agent.keys import keyfile
from host_agent.paths import Paths, default_paths
from host_agent.people import account_key, head_note
from host_agent.people.chain_check import verify
from host_agent.people.composing import sign_entry
from host_agent.people.losing import Losing, losing
from host_agent.people.roles import why_not
from host_agent.store import backup as store_backup
from host_agent.store.audit import Head
from host_agent.store.bindings import open_bindings
from host_agent.store.db import Store, Tx
from host_agent.terminal.alone import alone
from host_agent.terminal.bundles import with_bundles
from host_agent.terminal.guarding import Guard, Stands, stated, told_door
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import show
from host_agent.terminal.progress import progress, working
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.signing import SIGN_IN, can_anybody_sign, find_signer

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The backup to restore.")]


@with_bundles
def restore(*, file: FileArgument, guard: Guard, as_json: JsonOption = False) -> None:
    """Put a backup in the place of the store. Stop the agent first. The store that was there is kept beside it.

    It says which accounts, signatures, bindings and events since the backup are lost. Then somebody must stand for it:
    an account of the backup, a reason, and the pseudonym of each patient whose binding is lost or about whom a HIGH
    alarm stands that the backup does not know. Only a clinician gives up signatures. A backup whose chain of signatures
    has problems is refused.

    The whole backup is checked before anything moves. The wearable sends again what it still has at the next sync.
    Records that were acknowledged since the backup and have left its flash will show as a gap, so restore and start
    the agent at once. Receivers may get events since the backup again, under the same keys. When somebody stands for
    it, that is signed before anything moves: without room for the signature nothing is restored.
    """
    paths = default_paths()
    with alone(paths, "restore"):
        with working(lambda: f"checking {file}"):
            losing = _losing(paths, file)
        in_alarm = {binding: one for binding, one in losing.bindings.items() if one["alarms"]}
        for line in [*losing.lines, stands_text(in_alarm)] if in_alarm else losing.lines:
            print(line, file=sys.stderr)
        stands = _who_stands(paths, guard, losing) if losing.is_something else None

        def sign(fresh: Path) -> None:
            if stands is not None:
                head_note.bring(paths.database, fresh)
                with Store(fresh) as store:
                    sign_entry(told_door(paths, store), stands.signer, "act", stands.values)

        kept = store_backup.restore(
            file, paths.database, RealClock().utc_ms(), progress("copied", "tables"), sign
        )
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
    with open_store(paths) as tx:
        missing = [] if tx is None else _missing(paths, tx)
    lines += missing
    data = {
        "database": str(paths.database),
        "kept": str(kept) if kept else None,
        "lost": losing.lines,
        "left_out": strange,
        "missing": missing,
    }
    show(data, lines, as_json=as_json)


def _missing(paths: Paths, tx: Tx) -> list[str]:
    """What is in no backup and not on this laptop, and how to get it."""
    lines = []
    for one in open_bindings(tx):
        if keyfile.is_missing(paths.keys, one.device_id):
            lines.append(
                f"The key of wearable {one.device_id.hex()} is not on this laptop. {keyfile.HOW_TO_GET_A_KEY}"
            )
    if not can_anybody_sign(tx, paths):
        lines.append(
            "The key of no account is on this laptop, so nobody can sign. Whoever keeps the administrator code signs"
            f" one in: {SIGN_IN}"
        )
    return lines


def _losing(paths: Paths, file: Path) -> Losing:
    noted = (
        Head(0, bytes(32)) if account_key.names(paths.accounts) else None
    )  # it is not known how much was signed
    with contextlib.suppress(HostAgentError):
        noted = head_note.read(paths.database) or noted
    with store_backup.reading(file) as backup:
        if problems := verify(backup).problems:
            where = f"row {problems[0].seq}: " if problems[0].seq is not None else ""
            raise StoreError(
                f"The chain of signatures in {file} has problems: {len(problems)}. The first is at {where}"
                f"{problems[0].text}.",
                "Somebody changed the backup or the store that it was made of. Give an older backup.",
            )
        try:
            with open_store(paths) as tx:
                return losing(tx, backup, noted)
        except StoreError as error:
            unread = losing(None, backup, noted)
            return unread._replace(lines=[f"The store that is there cannot be read: {error}.", *unread.lines])


def _who_stands(paths: Paths, guard: Guard, losing: Losing) -> Stands:
    """An account that is in the backup, because its signature is kept there."""
    if not losing.accounts:
        raise GuardNeeded(
            "The backup holds no account that could stand for what is lost and that can sign here.",
            f"Give another backup. To begin anew without what was signed, move {paths.home} away and restore then.",
        )
    answers = stated(guard, losing.bindings, "This restore loses what is named above.")
    signer = find_signer(paths, guard.account, guard.passphrase_file)
    known = losing.accounts.get(signer.name)
    if known is None or known.public_key != signer.public_key:
        raise GuardNeeded(
            f"Account {signer.name} is not in the backup, or it is disabled there or here.",
            f"These can stand for it: {', '.join(losing.accounts)}.",
        )
    values = {"act": "restore", **answers, **losing.values()}
    if why_not(known.role, "act", values):
        lost = "gives up what was signed" if losing.head is not None else "or a nurse stands for a restore"
        raise GuardNeeded(
            f"Account {signer.name} is a {known.role}'s. Only a clinician {lost}.",
            "Give --account with an account of theirs.",
        )
    return Stands(signer, values)
