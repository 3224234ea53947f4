"""From what a person says to a signed entry in the chain: the Python API, and what every signing command does.

with Store(path) as store:
    door = store_door(store, clock.utc_ms)
    sign_entry(door, account_key.unseal(paths.accounts, "clinician-1", passphrase), "rules", values)
"""

import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

from host_agent.people import admission
from host_agent.people.account_key import Signer
from host_agent.people.admission import Opening, Then
from host_agent.people.asking import EntryRefused, MovedOn, Refusal, the_wearer
from host_agent.people.context_values import to_signed
from host_agent.people.entry import Entry, encode
from host_agent.store.db import Store

_TRIES = 5  # somebody else may sign between beginning an entry and handing it in


class Door(NamedTuple):
    """Where a signed entry is handed in: the running agent, or the store when none runs.

    `begin` takes the start of a device id ("": the only one; None: the entry is about no patient). `take` returns
    what `admission.plain` gives and raises MovedOn when somebody else signed meanwhile.
    """

    begin: Callable[[str | None], Opening]
    take: Callable[[bytes, bytes], dict[str, Any]]


class When(NamedTuple):
    """When something was observed: at a time, or so long before the agent's time now."""

    utc_ms: int | None = None
    ago_ms: int = 0


NOW = When()


def store_door(store: Store, utc_ms: Callable[[], int], then: Then | None = None) -> Door:
    """The store itself, for what may be signed before an agent ever ran; `then` as in `admission.take`."""

    def begin(device: str | None) -> Opening:
        return store.read_now(
            lambda tx: admission.begin(tx, None if device is None else the_wearer(tx, device), utc_ms())
        )

    def take(raw: bytes, signature: bytes) -> dict[str, Any]:
        return admission.plain(admission.take_now(store, raw, signature, utc_ms(), then))

    return Door(begin, take)


def compose(
    opening: Opening,
    signer: Signer,
    kind: str,
    values: dict[str, Any],
    *,
    observed_utc_ms: int | None = None,
    refers_to: str | None = None,
) -> tuple[bytes, bytes]:
    """(canonical bytes, signature) of a new entry; observed now when nothing else is said."""
    try:
        raw = encode(
            Entry(
                kind, uuid.uuid4().hex, signer.name, signer.key_id.hex(), opening.binding, opening.patient,
                opening.now_utc_ms if observed_utc_ms is None else observed_utc_ms, opening.now_utc_ms,
                to_signed(values), refers_to, opening.prev,
            )
        )  # fmt: skip
    except ValueError as error:
        raise EntryRefused(Refusal("bad_value", str(error))) from None
    return raw, signer.sign(raw)


def sign_entry(
    door: Door,
    signer: Signer,
    kind: str,
    values: dict[str, Any],
    *,
    device: str | None = None,
    when: When = NOW,
    refers_to: str | None = None,
) -> dict[str, Any]:
    """Compose, sign and hand in one entry, again when somebody else signed meanwhile; EntryRefused says why not.

    `device` is as in Door. Returns what was taken, and whether the patient is simulated.
    """
    for attempt in range(_TRIES):
        opening = door.begin(device)
        observed_utc_ms = opening.now_utc_ms - when.ago_ms if when.utc_ms is None else when.utc_ms
        raw, signature = compose(
            opening, signer, kind, values, observed_utc_ms=observed_utc_ms, refers_to=refers_to
        )
        try:
            return {**door.take(raw, signature), "simulated": opening.simulated}
        except MovedOn:
            if attempt == _TRIES - 1:
                raise
    raise AssertionError
