"""What a person signs at the page: an acceptance, a silence, an entry. It goes into the chain as from a command."""

from typing import Any

from host_agent.control.parts import Parts
from host_agent.control.socket import Handler
from host_agent.people.accepting import NOTE_CHARS, PAGE, longest_ms, note_fault
from host_agent.people.account_key import Signer
from host_agent.people.admission import Opening
from host_agent.people.asking import EntryRefused, MovedOn, Refusal
from host_agent.people.composing import compose
from host_agent.store.db import Tx
from host_agent.views.standing_rows import standing_rows

OTHER_PATIENT = (
    "The form was about another patient than the one who wears the wearable now. Nothing was signed."
)
_TRIES = 5  # somebody else may sign between beginning an entry and handing it in


class Acts:
    """`handlers` are those of the control socket: page and commands have one authorisation."""

    def __init__(self, parts: Parts, handlers: dict[str, Handler]) -> None:
        self._parts = parts
        self._begin, self._take = handlers["entry_begin"], handlers["entry_take"]

    async def standing(self, number: int) -> dict[str, Any] | None:
        """The alarm of this number as it stands now; None when it does not."""

        def read(tx: Tx) -> dict[str, Any] | None:
            rows = standing_rows(tx, self._parts.clock.utc_ms())
            return next((row for row in rows if row["number"] == number), None)

        return await self._parts.store.read(read)

    async def accept(self, signer: Signer, row: dict[str, Any], note: str) -> dict[str, Any]:
        """Accept this alarm as it was seen; EntryRefused says why not. Returns how it stands afterwards."""
        await self._sign_about(signer, "accept", row, {"note": _note(note), "how": PAGE})
        return await self.standing(row["number"]) or row

    async def silence(self, signer: Signer, row: dict[str, Any], minutes: int) -> dict[str, Any]:
        """Hold back this laptop's reminders for so long; EntryRefused says why not."""
        now_ms = self._parts.clock.utc_ms()
        until_ms = now_ms + min(minutes * 60_000, longest_ms(row["level"]) - 1000)
        await self._sign_about(signer, "silence", row, {"note": "", "how": PAGE, "until_utc_ms": until_ms})
        return await self.standing(row["number"]) or row

    async def enter(
        self, signer: Signer, wearer: tuple[str, str], values: dict[str, Any], ago_ms: int
    ) -> dict[str, Any]:
        """An entry about this (wearable, binding id), never about who wears it since; EntryRefused says why not."""
        return await self._sign(signer, "context", values, wearer, ago_ms)

    async def _sign_about(
        self, signer: Signer, kind: str, row: dict[str, Any], values: dict[str, Any]
    ) -> dict[str, Any]:
        alarms = {str(row["key"]): int(row["level"])}
        wearer = (str(row["device_id"]), str(row["binding_id"])) if row["binding_id"] else None
        return await self._sign(signer, kind, {"alarms": alarms, **values}, wearer)

    async def _sign(
        self,
        signer: Signer,
        kind: str,
        values: dict[str, Any],
        wearer: tuple[str, str] | None,
        ago_ms: int = 0,
    ) -> dict[str, Any]:
        device, binding = wearer or (None, None)
        for attempt in range(_TRIES):
            opening = Opening(**await self._begin({"about_patient": device is not None, "device": device}))
            if opening.binding != binding:
                raise EntryRefused(Refusal("wrong_patient", OTHER_PATIENT))
            raw, signature = compose(
                opening, signer, kind, values, observed_utc_ms=opening.now_utc_ms - ago_ms
            )
            try:
                return await self._take({"entry": raw.decode(), "signature": signature.hex()})
            except MovedOn:
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError


def _note(text: str) -> str:
    """A note as an entry can hold it: cut, and without what nobody can read; never a reason to refuse an acceptance."""
    note = "".join(one for one in " ".join(text.split()) if one.isprintable())[:NOTE_CHARS]
    return "" if note_fault(note) else note
