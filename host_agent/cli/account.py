"""`account`: the people who may sign here."""

from pathlib import Path
from typing import Annotated, Any

import typer

from host_agent.errors import ConfigError, HostAgentError
from host_agent.paths import Paths, default_paths
from host_agent.people import account_key, chain, roles
from host_agent.people.composing import Door, sign_entry
from host_agent.store.accounts import accounts
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import nothing, show
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.signing import (
    PassphraseOption,
    find_signer,
    read_passphrase,
    with_or_without_agent,
)
from host_agent.text import table

NEW_PASSPHRASE_VARIABLE = "CYTOWATCH_NEW_PASSPHRASE"  # noqa: S105 the name of a variable
account = typer.Typer(help="The people who may sign here.", no_args_is_help=True)
NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="Account name, for example nurse-1: a-z, 0-9, dot, dash, underscore."
    ),
]
ByOption = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="NAME",
        envvar="CYTOWATCH_ACCOUNT",
        help="Clinician who signs for it."
        " When left out: CYTOWATCH_ACCOUNT, or the only account whose key is on this computer.",
    ),
]


@account.command()
def add(
    *,
    name: NameArgument,
    role: Annotated[
        str, typer.Option("--role", metavar="ROLE", help=f"Role: one of {', '.join(roles.ROLES)}.")
    ] = "",
    by: ByOption = None,
    passphrase_file: PassphraseOption = None,
    new_passphrase_file: Annotated[
        Path | None,
        typer.Option(
            "--new-passphrase-file",
            metavar="FILE",
            help="File with the new account's passphrase."
            f" When left out: {NEW_PASSPHRASE_VARIABLE}, or the command asks.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Add an account with its own key. The first one is a clinician's. A clinician signs for every later one."""
    if role not in roles.ROLES:
        raise ConfigError(f"--role: expected one of {', '.join(roles.ROLES)}, found {role!r}.", "Try --help.")
    paths = default_paths().ensure()
    path = account_key.path_of(paths.accounts, name)
    if path.exists():
        raise HostAgentError(f"{path} exists already.", "Choose another account name.")
    with open_store(paths) as tx:
        is_first = tx is None or chain.head(tx).seq == 0
    if is_first and role != roles.CLINICIAN:
        raise HostAgentError(
            "The first account must be a clinician's: a clinician signs for every later one.",
            "Add it with --role clinician.",
        )
    signer = None if is_first else find_signer(paths, by, passphrase_file)
    passphrase = read_passphrase(
        new_passphrase_file, NEW_PASSPHRASE_VARIABLE, f"New passphrase of {name}", twice=True
    )
    fresh = account_key.new_signer(name)
    account_key.save(paths.accounts, fresh, passphrase)  # first: a key that is lost could never sign
    values = {"name": name, "role": role, "public_key": fresh.public_key.hex()}
    try:
        done = with_or_without_agent(
            paths, lambda door: sign_entry(door, signer or fresh, "account_add", values)
        )
    except BaseException:
        if not _was_added(paths, fresh.public_key):  # an answer may get lost after the entry was taken
            path.unlink(missing_ok=True)
        raise
    who = "It is the first one and signed for itself." if is_first else f"Signed by {done['account']}."
    lines = [
        f"Account {name} ({role}) was added. {who}",
        f"Its key is in {path}, sealed with the passphrase. A lost passphrase cannot be replaced.",
    ]
    show(
        {**values, "key_id": fresh.key_id.hex(), "signed_by": done["account"], **_seen(done)},
        lines,
        as_json=as_json,
    )


@account.command("list")
def list_accounts(as_json: JsonOption = False) -> None:
    """Show all accounts, also those that are disabled."""
    paths = default_paths()
    here = account_key.names(paths.accounts)
    with open_store(paths) as tx:
        rows = [] if tx is None else accounts(tx)
    data = [
        {
            "name": one.name, "role": one.role, "key_id": one.key_id.hex(), "disabled": one.is_disabled,
            "key_here": one.name in here,
        }
        for one in rows
    ]  # fmt: skip
    if not data:
        nothing(
            "No account exists. Add the first one: cytowatch account add NAME --role clinician",
            {"accounts": []},
            as_json=as_json,
        )
    lines = table(
        ("NAME", "ROLE", "KEY ID", "", ""),
        [
            (row["name"], row["role"], row["key_id"], "disabled" if row["disabled"] else "",
             "key on this computer" if row["key_here"] else "")
            for row in data
        ],
    )  # fmt: skip
    show({"accounts": data}, lines, as_json=as_json)


@account.command()
def disable(
    *,
    name: NameArgument,
    by: ByOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Disable an account. It can no longer sign. Its earlier signatures stay valid.

    The last clinician's account cannot be disabled.
    """
    paths = default_paths()

    def work(door: Door) -> dict[str, Any]:
        return sign_entry(door, find_signer(paths, by, passphrase_file), "account_disable", {"name": name})

    done = with_or_without_agent(paths, work)
    show(
        {"name": name, "signed_by": done["account"], **_seen(done)},
        [
            f"Account {name} can no longer sign. Its earlier signatures stay valid. Signed by {done['account']}."
        ],
        as_json=as_json,
    )


def _was_added(paths: Paths, public_key: bytes) -> bool:
    with open_store(paths) as tx:
        return tx is not None and any(one.public_key == public_key for one in accounts(tx))


def _seen(done: dict[str, Any]) -> dict[str, Any]:
    return {key: done[key] for key in ("entry", "audit", "hash")}
