"""How a command signs: find the account, ask for its passphrase, compose here, and hand the signed entry to the agent.

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
from host_agent.paths import Paths
from host_agent.people import account_key, admission
from host_agent.people.account_key import Signer
from host_agent.people.admission import Opening
from host_agent.people.asking import MovedOn
from host_agent.people.composing import compose
from host_agent.store.db import Store
from host_agent.terminal.times import parse_moment_ms, parse_span_s

_TRIES = 5
ACCOUNT_VARIABLE = "CYTOWATCH_ACCOUNT"
PASSPHRASE_VARIABLE = "CYTOWATCH_PASSPHRASE"  # noqa: S105 the name of a variable

AccountOption = Annotated[
    str | None,
    typer.Option(
        "--account",
        metavar="NAME",
        envvar=ACCOUNT_VARIABLE,
        help=f"Who signs; {ACCOUNT_VARIABLE}, or the only account with a key here, when left out.",
    ),
]
PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help=f"File whose first line is the passphrase; {PASSPHRASE_VARIABLE}, or asked for, when left out.",
    ),
]
AtOption = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="When it was so, e.g. 2026-03-31T14:05; now when left out."),
]
AgoOption = Annotated[
    str | None,
    typer.Option("--ago", metavar="SPAN", help="How long ago it was so, e.g. 5m, instead of --at."),
]


class Door(NamedTuple):
    """Where a signed entry is handed in: the running agent, or the store when none runs."""

    begin: Callable[[str | None], Opening]
    take: Callable[[bytes, bytes], dict[str, Any]]


def agent_door(paths: Paths) -> Door:
    """The running agent; AgentNotRunning says so at the first use."""

    def begin(device: str | None) -> Opening:
        return Opening(
            **call_now(paths.socket, "entry_begin", about_patient=device is not None, device=device)
        )

    def take(raw: bytes, signature: bytes) -> dict[str, Any]:
        return call_now(paths.socket, "entry_take", entry=raw.decode(), signature=signature.hex())

    return Door(begin, take)


def store_door(store: Store) -> Door:
    """The store itself, for what is about no patient and may be done before an agent ever ran."""
    clock = RealClock()

    def begin(device: str | None) -> Opening:
        return store.read_now(lambda tx: admission.begin(tx, device, clock.utc_ms()))

    def take(raw: bytes, signature: bytes) -> dict[str, Any]:
        return admission.plain(admission.take_now(store, raw, signature, clock.utc_ms()))

    return Door(begin, take)


def with_or_without_agent(paths: Paths, work: Callable[[Door], dict[str, Any]]) -> dict[str, Any]:
    """Do `work` through the agent when one runs, else on the store."""
    door = agent_door(paths)
    try:
        door.begin(None)
    except AgentNotRunning:
        with Store(paths.ensure().database) as store:
            return work(store_door(store))
    return work(door)


def sign_entry(
    door: Door,
    signer: Signer,
    kind: str,
    values: dict[str, Any],
    *,
    device: str | None = None,
    at: str | None = None,
    ago: str | None = None,
    observed_utc_ms: int | None = None,
    refers_to: str | None = None,
) -> dict[str, Any]:
    """Compose, sign, hand in; again when somebody else signed meanwhile. `device` "" means the only bound one."""
    for attempt in range(_TRIES):
        opening = door.begin(device)
        observed = observed_utc_ms if observed_utc_ms is not None else _moment(opening, at, ago)
        raw, signature = compose(opening, signer, kind, values, observed_utc_ms=observed, refers_to=refers_to)
        try:
            return {**door.take(raw, signature), "simulated": opening.simulated}
        except (MovedOn, ControlFailed) as error:
            moved = isinstance(error, MovedOn) or error.failed_code == MovedOn.code
            if not moved or attempt == _TRIES - 1:
                raise
    raise AssertionError


def find_signer(paths: Paths, account: str | None, passphrase_file: Path | None) -> Signer:
    """The account that signs, opened with its passphrase."""
    name = account
    if name is None:
        here = account_key.names(paths.accounts)
        if len(here) != 1:
            known = ", ".join(here) or "none"
            raise ConfigError(
                f"--account: say who signs; keys on this computer: {known}.",
                f"Give --account or set {ACCOUNT_VARIABLE}; add one with `cytowatch account add`.",
            )
        name = here[0]
    account_key.check_there(paths.accounts, name)
    return account_key.unseal(
        paths.accounts, name, read_passphrase(passphrase_file, PASSPHRASE_VARIABLE, f"Passphrase of {name}")
    )


def read_passphrase(file: Path | None, variable: str, prompt: str, *, twice: bool = False) -> str:
    """From a file's first line, an environment variable, or the terminal without echo."""
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").split("\n", 1)[0]
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "not UTF-8"
            raise ConfigError(f"{file}: cannot be read ({why}).", "Check the path.") from None
    if variable in os.environ:
        return os.environ[variable]
    if not sys.stdin.isatty():
        raise ConfigError(
            f"{prompt}: there is no terminal to ask.", f"Give --passphrase-file or set {variable}."
        )
    typed = getpass.getpass(f"{prompt}: ")
    if twice and getpass.getpass("Again: ") != typed:
        raise ConfigError("The two passphrases differ.", "Type them again.")
    return typed


def check_moment(at: str | None, ago: str | None) -> None:
    """ConfigError for a moment that cannot be read, before anybody is asked for a passphrase."""
    if at and ago:
        raise ConfigError("--at cannot be combined with --ago.", "Use one or the other.")
    if at:
        parse_moment_ms(at, "--at")
    if ago:
        parse_span_s(ago, "--ago")


def _moment(opening: Opening, at: str | None, ago: str | None) -> int:
    if at:
        return parse_moment_ms(at, "--at")
    return opening.now_utc_ms - (round(parse_span_s(ago, "--ago") * 1000) if ago else 0)
