"""How a command signs: it finds the account, asks for its passphrase, composes and signs here, and hands the entry in.

The private key and the passphrase never leave this process; the agent sees the entry and its signature.
"""

import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from host_agent.clock import RealClock
from host_agent.control.socket import AgentNotRunning, ControlFailed, call_now
from host_agent.errors import ConfigError
from host_agent.paths import Paths, default_paths
from host_agent.people import account_key
from host_agent.people.account_key import Signer
from host_agent.people.admission import Opening
from host_agent.people.asking import MovedOn, Refusal
from host_agent.people.composing import NOW, Door, When, sign_entry, store_door
from host_agent.plain_file import read_plain
from host_agent.store.accounts import accounts
from host_agent.store.db import Store, Tx
from host_agent.terminal.alone import alone
from host_agent.terminal.options import DeviceOption, JsonOption
from host_agent.terminal.output import say
from host_agent.terminal.times import parse_moment_ms, parse_span_s
from host_agent.text_file import first_line, read_text_file

ACCOUNT_VARIABLE = "CYTOWATCH_ACCOUNT"
_TRIES = 5  # of a passphrase
PASSPHRASE_VARIABLE = "CYTOWATCH_PASSPHRASE"  # noqa: S105 the name of a variable

SIGN_IN = "cytowatch account add NAME --role clinician --administrator"

AccountOption = Annotated[
    str | None,
    typer.Option(
        "--account",
        metavar="NAME",
        envvar=ACCOUNT_VARIABLE,
        help="Account that signs."
        f" When left out: {ACCOUNT_VARIABLE}, or the only account whose key is here, or the command asks.",
    ),
]
PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help=f"File whose first line is the passphrase. When left out: {PASSPHRASE_VARIABLE}, or the command asks.",
    ),
]
AtOption = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="TIME", help="When it was observed, e.g. 2026-03-31T14:05. When left out: now."
    ),
]
AgoOption = Annotated[
    str | None,
    typer.Option(
        "--ago", metavar="SPAN", help="How long ago it was observed, for example 5m. Use it instead of --at."
    ),
]


class NobodySigns(ConfigError):  # noqa: N818 named by the condition, as in errors.py
    """No account has its key on this computer."""

    def __init__(self) -> None:
        super().__init__(
            "The key of no account is on this computer, so nobody can sign here.",
            "See `cytowatch account list`. If it is empty, add the first account: cytowatch account add NAME --role"
            f" clinician. Else whoever keeps the administrator code signs one in: {SIGN_IN}",
        )


class Who(NamedTuple):
    """The options of a command that signs something about a patient."""

    account: AccountOption = None
    passphrase_file: PassphraseOption = None
    device: DeviceOption = None
    as_json: JsonOption = False


class Observed(NamedTuple):
    """The options of a command that signs something with a time of its own; `moment` reads them."""

    at: AtOption = None
    ago: AgoOption = None


def can_anybody_sign(tx: Tx, paths: Paths) -> bool:
    """Whether the key of an account that may still sign is on this computer; also while there is no account yet."""
    able = {one.name for one in accounts(tx) if not one.is_disabled}
    return not able or bool(able & set(account_key.names(paths.accounts)))


def agent_door(paths: Paths) -> Door:
    """The running agent; AgentNotRunning says so at the first use."""

    def begin(device: str | None) -> Opening:
        return Opening(
            **call_now(paths.socket, "entry_begin", about_patient=device is not None, device=device)
        )

    def take(raw: bytes, signature: bytes) -> dict[str, Any]:
        try:
            return call_now(paths.socket, "entry_take", entry=raw.decode(), signature=signature.hex())
        except ControlFailed as error:
            if error.failed_code == MovedOn.code:
                raise MovedOn(Refusal("moved_on", str(error))) from error
            raise

    return Door(begin, take)


def with_or_without_agent(
    paths: Paths, work: Callable[[Door], dict[str, Any]], command: str = "account"
) -> dict[str, Any]:
    """Do `work` through the agent when one runs, else on the store. `command` is named to others meanwhile."""
    door = agent_door(paths)
    try:
        door.begin(None)
    except AgentNotRunning:
        with alone(paths, command), Store(paths.database) as store:
            return work(store_door(store, RealClock().utc_ms))
    return work(door)


def which_account(paths: Paths, account: str | None, option: str = "--account") -> str:
    """The name given, or the only account whose key is here, or the one that is typed."""
    if account is not None:
        return account
    here = account_key.names(paths.accounts)
    if not here:
        raise NobodySigns
    known = ", ".join(here)
    if len(here) > 1 and sys.stdin.isatty():
        here = [str(typer.prompt(f"Who signs ({known})", err=True)).strip()]
    if len(here) != 1:
        raise ConfigError(
            f"{option}: say who signs. Keys on this computer: {known}.",
            f"Give {option} NAME or set {ACCOUNT_VARIABLE}.",
        )
    return here[0]


def find_signer(
    paths: Paths, account: str | None, passphrase_file: Path | None, option: str = "--account"
) -> Signer:
    """The account that signs, opened with its passphrase; `option` is the one that names it."""
    name = which_account(paths, account, option)
    account_key.check_there(paths.accounts, name)
    passphrase = read_passphrase(passphrase_file, PASSPHRASE_VARIABLE, f"Passphrase of {name}")
    try:
        return account_key.unseal(paths.accounts, name, passphrase)
    except account_key.AccountKeyError:
        earlier = _as_earlier_versions_read(passphrase_file)
        if earlier in (None, passphrase):
            raise
        return account_key.unseal(paths.accounts, name, str(earlier))


def find_signer_again(paths: Paths, account: str, passphrase_file: Path | None) -> Signer:
    """As `find_signer`; a passphrase that is typed wrong is asked for again, so that nothing else is lost."""
    for _ in range(_TRIES - 1):
        try:
            return find_signer(paths, account, passphrase_file)
        except account_key.AccountKeyError as error:
            if passphrase_file is not None or PASSPHRASE_VARIABLE in os.environ:
                raise
            say(f"error: {error}", "  Type it again.")
    return find_signer(paths, account, passphrase_file)


def _as_earlier_versions_read(file: Path | None) -> str | None:
    """The passphrase with the mark and the blanks that earlier versions took for a part of it; None without any."""
    try:
        if file is not None:
            return read_plain(file).decode().replace("\r\n", "\n").split("\n", 1)[0]
    except (OSError, UnicodeDecodeError):
        return None
    return os.environ.get(PASSPHRASE_VARIABLE)


def read_passphrase(
    file: Path | None, variable: str, prompt: str, *, twice: bool = False, option: str = "--passphrase-file"
) -> str:
    """From a file's first line, an environment variable, or the terminal without echo."""
    if file is not None:
        return first_line(read_text_file(file, typed=True))
    if variable in os.environ:
        # A script that read it from a file may have kept the mark at its start or the line end.
        return os.environ[variable].removeprefix("\ufeff").strip("\r\n")
    if not sys.stdin.isatty():
        raise ConfigError(
            f"{prompt}: there is no terminal to ask on.", f"Give {option} FILE or set {variable}."
        )
    typed = getpass.getpass(f"{prompt}: ")
    if twice and getpass.getpass("Again: ") != typed:
        raise ConfigError("The two passphrases differ.", "Type them again.")
    return typed


def moment(observed: Observed) -> When:
    """The moment that --at or --ago means; ConfigError when it cannot be read or both are given."""
    at, ago = observed
    if at and ago:
        raise ConfigError("--at cannot be combined with --ago.", "Use one or the other.")
    return When(
        parse_moment_ms(at, "--at") if at else None, round(parse_span_s(ago, "--ago") * 1000) if ago else 0
    )


def sign_about_patient(
    who: Who,
    kind: str,
    values: dict[str, Any],
    *,
    when: When = NOW,
    find_target: Callable[[], str | None] = lambda: None,
) -> dict[str, Any]:
    """Sign an entry about the patient with the agent's help; returns what was taken.

    `find_target` names the entry that it refers to. Without an agent this fails before anybody types a passphrase.
    """
    paths = default_paths()
    device = who.device or ""
    door = agent_door(paths)
    door.begin(device)
    refers_to = find_target()
    signer = find_signer(paths, who.account, who.passphrase_file)
    return sign_entry(door, signer, kind, values, device=device, when=when, refers_to=refers_to)
