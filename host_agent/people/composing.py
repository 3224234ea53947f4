"""From what a person says to a signed entry: the Python API, and what the command line does over the control socket.

signer = account_key.unseal(paths.accounts, "nurse-1", passphrase)
taken = await enter(store, signer, wearer, {"blood_pressure": "normal"}, utc_ms=clock.utc_ms())
"""

import uuid
from typing import Any

from host_agent.people import admission
from host_agent.people.account_key import Signer
from host_agent.people.admission import Opening, Taken
from host_agent.people.asking import EntryRefused, MovedOn, Refusal, Wearer
from host_agent.people.context_values import to_signed
from host_agent.people.entry import Entry, encode
from host_agent.store.db import Store

_TRIES = 5  # somebody else may sign between opening and taking


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


async def sign(
    store: Store,
    signer: Signer,
    kind: str,
    values: dict[str, Any],
    *,
    utc_ms: int,
    wearer: Wearer | None = None,
    observed_utc_ms: int | None = None,
    refers_to: str | None = None,
) -> Taken:
    """Compose, sign and take one entry of any kind; EntryRefused says why not."""
    for attempt in range(_TRIES):
        opening = await store.read(lambda tx: admission.opening(tx, wearer, utc_ms))
        raw, signature = compose(
            opening, signer, kind, values, observed_utc_ms=observed_utc_ms, refers_to=refers_to
        )
        try:
            return await admission.take(store, raw, signature, utc_ms)
        except MovedOn:
            if attempt == _TRIES - 1:
                raise
    raise AssertionError


async def enter(
    store: Store,
    signer: Signer,
    wearer: Wearer,
    values: dict[str, Any],
    *,
    utc_ms: int,
    observed_utc_ms: int | None = None,
    corrects: str | None = None,
) -> Taken:
    """Enter context: keys of the grader's vocabulary, None to withdraw one; EntryRefused says why not."""
    return await sign(
        store, signer, "context", values, utc_ms=utc_ms, wearer=wearer, observed_utc_ms=observed_utc_ms,
        refers_to=corrects,
    )  # fmt: skip
