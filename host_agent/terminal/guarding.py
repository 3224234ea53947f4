"""How a command lets somebody stand for an act that ends monitoring while a HIGH alarm stands.

It says what stands, asks for account, passphrase, reason and the pseudonym, and signs here. Without a terminal each
comes from an option of its own; there is no option that answers for all of them.
"""

import sys
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import typer
from crs_core.code_texts import alarm_name

from host_agent.clock import RealClock
from host_agent.control.guard import GuardNeeded, stands_text
from host_agent.control.socket import COMMAND_TIMEOUT_S, AgentNotRunning, ControlFailed, call_now
from host_agent.escalation.derive import Escalation
from host_agent.escalation.target import Target
from host_agent.paths import Paths
from host_agent.patient.standing import standing_high
from host_agent.people.account_key import Signer
from host_agent.people.acts import reason_fault
from host_agent.people.asking import MovedOn
from host_agent.people.composing import Door, compose, sign_entry, store_door
from host_agent.store.bindings import open_bindings
from host_agent.store.db import Store
from host_agent.terminal.config_option import find_config
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.signing import AccountOption, PassphraseOption, agent_door, find_signer

_TRIES = 5  # somebody else may sign between composing an act and handing it in
Concerned = Mapping[str, Mapping[str, Any]]

ReasonOption = Annotated[
    str | None,
    typer.Option("--reason", metavar="TEXT", help="Why, while a HIGH alarm stands. It is kept and sent."),
]
TypedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--patient",
        metavar="PSEUDONYM",
        help="Pseudonym of the patient about whom a HIGH alarm stands, as you type it. Give it once for each patient.",
    ),
]


class Guard(NamedTuple):
    """The options with which somebody stands for an act. They count only while a HIGH alarm stands."""

    account: AccountOption = None
    passphrase_file: PassphraseOption = None
    reason: ReasonOption = None
    typed: TypedOption = None


class Stands(NamedTuple):
    """Who stands for an act, and the values that they sign."""

    signer: Signer
    values: dict[str, Any]


def through_agent(
    paths: Paths, act: str, do: str, guard: Guard, *, timeout_s: float = COMMAND_TIMEOUT_S + 2, **fields: Any
) -> dict[str, Any]:
    """Have the agent do `do`, which is the act `act`; ask for somebody who stands for it only when it is needed."""
    offer = call_now(paths.socket, "guard", act=act, **fields)
    if not offer["bindings"]:
        return call_now(paths.socket, do, timeout_s, **fields)
    stands = who_stands(paths, act, guard, offer["bindings"])
    values = {**stands.values, "ticket": offer["ticket"]}
    door = agent_door(paths)
    for attempt in range(_TRIES):
        raw, signature = compose(door.begin(None), stands.signer, "act", values)
        proof = {"entry": raw.decode(), "signature": signature.hex()}
        try:
            return call_now(paths.socket, do, timeout_s, **fields, proof=proof)
        except ControlFailed as error:
            if error.failed_code != MovedOn.code or attempt == _TRIES - 1:
                raise
    raise AssertionError


def needed_by_agent(paths: Paths, act: str, **fields: Any) -> dict[str, dict[str, Any]]:
    """Binding (hex) -> patient, device_id and alarms, of each patient about whom HIGH alarms stand."""
    return dict(call_now(paths.socket, "guard", act=act, **fields)["bindings"])


def beside_agent(paths: Paths, act: str, guard: Guard, device_id: bytes | None = None) -> None:
    """The guard of an act that needs no agent; `device_id` None: it may concern every wearable of this laptop.

    A store that cannot be read lets nothing pass: HostAgentError. With or without an agent, the act is signed and told.
    """
    concerned = {}
    with open_store(paths) as tx:
        for one in [] if tx is None else open_bindings(tx):
            alarms = sorted(alarm_name(alarm) for alarm in standing_high(tx, one)) if tx is not None else []
            if alarms and device_id in (None, one.device_id):
                concerned[one.binding_id.hex()] = {
                    "patient": one.patient or one.device_id.hex(), "device_id": one.device_id.hex(), "alarms": alarms,
                }  # fmt: skip
    if not concerned:
        return
    stands = who_stands(paths, act, guard, concerned)
    try:
        sign_entry(agent_door(paths), stands.signer, "act", stands.values)
    except AgentNotRunning:
        with Store(paths.database) as store:
            sign_entry(told_door(paths, store), stands.signer, "act", stands.values)


def told_door(paths: Paths, store: Store) -> Door:
    """The store itself; the receivers of the configuration get what is signed when the agent next runs."""
    clock = RealClock()
    targets = [Target(one.name, one.accept_simulated) for one in find_config(paths, None).receivers]
    return store_door(store, clock.utc_ms, Escalation(targets, link_utc_ms=clock.utc_ms).signed)


def who_stands(paths: Paths, act: str, guard: Guard, concerned: Concerned) -> Stands:
    """The answers of `stated`, and the account that signs them, opened with its passphrase."""
    answers = stated(guard, concerned, stands_text(concerned))
    return Stands(find_signer(paths, guard.account, guard.passphrase_file), {"act": act, **answers})


def stated(guard: Guard, concerned: Concerned, why: str) -> dict[str, Any]:
    """`reason`, `patients` as typed, and `alarms`. Asks for what the options leave out, when there is a terminal.

    GuardNeeded says what is missing or wrong; `why` is what makes it necessary.
    """
    if sys.stdin.isatty():
        print(why, file=sys.stderr)
    typed = [one.strip() for one in guard.typed or ()] or _ask_pseudonyms(concerned, why)
    wanted = {str(one["patient"]) for one in concerned.values()}
    if set(typed) != wanted:
        raise GuardNeeded(
            f"{why} What you typed is not the pseudonym of whom this concerns.",
            "Give the command again, and type each pseudonym exactly as it is written here.",
        )
    reason = guard.reason or _ask(why, "Reason")
    if fault := reason_fault(reason):
        raise GuardNeeded(f"{why} {fault}.", "Give the command again, with a reason in words.")
    alarms = sorted({alarm for one in concerned.values() for alarm in one["alarms"]})
    patients = {binding: one["patient"] for binding, one in concerned.items()}
    return {"reason": reason.strip(), "patients": patients, "alarms": alarms}


def _ask_pseudonyms(concerned: Concerned, why: str) -> list[str]:
    return [
        _ask(
            why,
            f"Type the id of wearable {one['device_id']}: another laptop bound it, and its patient is not known here"
            if one["patient"] == one["device_id"]
            else f"Type the pseudonym of the patient of wearable {one['device_id']}",
        )
        for one in concerned.values()
    ]


def _ask(why: str, prompt: str) -> str:
    if not sys.stdin.isatty():
        raise GuardNeeded(why)
    return str(typer.prompt(prompt, err=True)).strip()
