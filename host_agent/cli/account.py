"""`account`: the people who may sign here."""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from host_agent.errors import HostAgentError
from host_agent.paths import Paths, default_paths
from host_agent.people import account_key, administrator, chain, roles, vouching
from host_agent.people.account_key import Signer
from host_agent.people.composing import Door, sign_entry
from host_agent.people.entry import ADMINISTRATOR
from host_agent.store.accounts import account as account_of_name
from host_agent.store.accounts import accounts
from host_agent.terminal.bundles import with_bundles
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import nothing, show
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.signing import (
    SIGN_IN,
    PassphraseOption,
    find_signer,
    read_passphrase,
    with_or_without_agent,
)
from host_agent.terminal.words import chosen, offering
from host_agent.text import table

CODE_VARIABLE = "CYTOWATCH_ADMINISTRATOR_CODE"
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
        " When left out: CYTOWATCH_ACCOUNT, or the only account whose key is here, or the command asks.",
    ),
]


class Voucher(NamedTuple):
    """The options that say who stands behind an account."""

    by: ByOption = None
    passphrase_file: PassphraseOption = None
    administrator: Annotated[
        bool,
        typer.Option(
            "--administrator", help="Sign with the administrator code instead of a clinician's account."
        ),
    ] = False
    code_file: Annotated[
        Path | None,
        typer.Option(
            "--administrator-code-file",
            metavar="FILE",
            help=f"File with the administrator code. When left out: {CODE_VARIABLE}, or the command asks.",
        ),
    ] = None


@account.command()
@with_bundles
def add(
    *,
    name: NameArgument,
    role: Annotated[
        str,
        typer.Option(
            "--role",
            metavar="ROLE",
            autocompletion=offering(list(roles.ROLES)),
            help=f"Role: one of {', '.join(roles.ROLES)}.",
        ),
    ] = "",
    voucher: Voucher,
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
    """Add an account with its own key. The first one is a clinician's, and makes the administrator code.

    A clinician signs for every later account, or the administrator does with the code. Whoever signs for an account
    stands behind it: a death counts only when nobody stands behind both clinicians who signed it.
    """
    role = chosen(role, list(roles.ROLES), "--role")
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
    signer = None if is_first else _signer(paths, voucher)
    passphrase = read_passphrase(
        new_passphrase_file,
        NEW_PASSPHRASE_VARIABLE,
        f"New passphrase of {name}",
        twice=True,
        option="--new-passphrase-file",
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
    who = "It is the first one and signed for itself." if is_first else f"Signed by {_words(done)}."
    lines = [
        f"Account {name} ({role}) was added. {who}",
        f"Its key is in {path}, sealed with the passphrase. A lost passphrase cannot be replaced.",
    ]
    data = {**values, "key_id": fresh.key_id.hex(), "signed_by": done["account"], **_seen(done)}
    if is_first:
        data["administrator_code"] = _make_code(paths, fresh)
        lines += _code_lines(data["administrator_code"])
    show(data, lines, as_json=as_json)


@account.command()
@with_bundles
def vouch(*, name: NameArgument, voucher: Voucher, as_json: JsonOption = False) -> None:
    """Stand behind an account that another clinician added: you know that its holder is a person of their own."""
    paths = default_paths()

    def work(door: Door) -> dict[str, Any]:
        with open_store(paths) as tx:
            known = None if tx is None else account_of_name(tx, name)
        values = {"name": name, "public_key": known.public_key.hex() if known else ""}
        return sign_entry(door, _signer(paths, voucher), "vouch", values)

    done = with_or_without_agent(paths, work)
    show(
        {"name": name, "signed_by": done["account"], **_seen(done)},
        [f"Account {name} is vouched for by {_words(done)} from now on."],
        as_json=as_json,
    )


@account.command("administrator")
def make_administrator(
    by: ByOption = None, passphrase_file: PassphraseOption = None, as_json: JsonOption = False
) -> None:
    """Make the administrator code, where the first account was added by a version that made none.

    Everybody who gets events is told. The code is shown once, and there is only one.
    """
    paths = default_paths()
    code = _make_code(paths, find_signer(paths, by, passphrase_file, "--by"))
    show({"administrator_code": code}, _code_lines(code), as_json=as_json)


@account.command("list")
def list_accounts(as_json: JsonOption = False) -> None:
    """Show all accounts, also those that are disabled."""
    paths = default_paths()
    here = account_key.names(paths.accounts)
    with open_store(paths) as tx:
        rows = [] if tx is None else accounts(tx)
        behind = {} if tx is None else vouching.vouchers_of(tx)
    data: list[dict[str, Any]] = [
        {
            "name": one.name, "role": one.role, "key_id": one.key_id.hex(), "disabled": one.is_disabled,
            "key_here": one.name in here, "vouched_by": vouching.plain(behind, one.name),
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
        ("NAME", "ROLE", "KEY ID", "SIGNED IN BY", "", ""),
        [
            (row["name"], row["role"], row["key_id"], ", ".join(row["vouched_by"]),
             "disabled" if row["disabled"] else "",
             "key on this computer" if row["key_here"] else "")
            for row in data
        ],
    )  # fmt: skip
    show({"accounts": data}, lines, as_json=as_json)


@account.command()
@with_bundles
def disable(
    *,
    name: NameArgument,
    voucher: Voucher,
    as_json: JsonOption = False,
) -> None:
    """Disable an account. It can no longer sign. Its earlier signatures stay valid.

    The last clinician's account cannot be disabled.
    """
    paths = default_paths()

    def work(door: Door) -> dict[str, Any]:
        return sign_entry(door, _signer(paths, voucher), "account_disable", {"name": name})

    done = with_or_without_agent(paths, work)
    show(
        {"name": name, "signed_by": done["account"], **_seen(done)},
        [f"Account {name} can no longer sign. Its earlier signatures stay valid. Signed by {_words(done)}."],
        as_json=as_json,
    )


def _signer(paths: Paths, voucher: Voucher) -> Signer:
    if not voucher.administrator:
        return find_signer(paths, voucher.by, voucher.passphrase_file, "--by")
    code = read_passphrase(
        voucher.code_file, CODE_VARIABLE, "Administrator code", option="--administrator-code-file"
    )
    with open_store(paths) as tx:
        return administrator.signer_of(tx, code)


def _make_code(paths: Paths, signer: Signer) -> str:
    code, values = administrator.make_code()
    with_or_without_agent(paths, lambda door: sign_entry(door, signer, administrator.KIND, values))
    return code


def _code_lines(code: str) -> list[str]:
    return [
        f"Administrator code: {code}",
        "It is shown this once and kept nowhere. Give it to somebody who is no clinician here. With it they sign in the"
        f" second clinician: {SIGN_IN}",
    ]


def _words(done: dict[str, Any]) -> str:
    return "the administrator code" if done["account"] == ADMINISTRATOR else str(done["account"])


def _was_added(paths: Paths, public_key: bytes) -> bool:
    with open_store(paths) as tx:
        return tx is not None and any(one.public_key == public_key for one in accounts(tx))


def _seen(done: dict[str, Any]) -> dict[str, Any]:
    return {key: done[key] for key in ("entry", "audit", "hash")}
