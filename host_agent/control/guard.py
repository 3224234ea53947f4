"""The guard of this agent's requests that end monitoring: under a HIGH alarm somebody must stand for each.

What stands is read from the store and from what the wearables say now. A store that cannot be read lets nothing pass.
"""

from collections.abc import Mapping
from typing import Any

from crs_core.code_texts import alarm_name
from crs_core.codes import PAUSE_OVER, PRIORITY_HIGH, is_physiological

from host_agent.clock import RealClock
from host_agent.control.find import find_bound_device, find_link, find_session
from host_agent.control.parts import Parts
from host_agent.control.tickets import Tickets
from host_agent.errors import HostAgentError
from host_agent.escalation.alarm_words import noun_of
from host_agent.patient.standing import standing_high
from host_agent.people import admission
from host_agent.people.acts import ACTS
from host_agent.people.asking import the_wearer
from host_agent.people.entry import Entry, MalformedEntryError, decode
from host_agent.store.bindings import Binding, open_bindings
from host_agent.store.db import Tx
from host_agent.store.journals import NO_BINDING


class GuardNeeded(HostAgentError):  # noqa: N818 named by the condition, as in errors.py
    """HIGH alarms stand, and nobody stands for what would end monitoring."""

    code = "guard_needed"
    default_advice = (
        "Give --account NAME, --reason TEXT and --patient PSEUDONYM. On a terminal the command asks for each."
    )


class Guard:
    """One for each agent."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._tickets = Tickets(RealClock())

    async def offer(self, act: str, request: dict[str, Any]) -> dict[str, Any]:
        """What a person must stand for (`bindings`, as `_needed`), and the `ticket` to sign with it; None: nothing."""
        device_id = await self._device_id(act, request)
        needed = await self._needed(act, request, device_id)
        return {"bindings": needed, "ticket": self._tickets.give(act, request, device_id) if needed else None}

    async def _needed(
        self, act: str, request: dict[str, Any], device_id: bytes | None
    ) -> dict[str, dict[str, Any]]:
        """Binding (hex) -> `patient`, `device_id` and the `alarms` that stand, for each patient this act concerns.

        A patient whom another laptop bound is known by the wearable alone: its id takes the place of the pseudonym.
        """

        def read(tx: Tx) -> tuple[list[tuple[Binding, set[int]]], set[bytes]]:
            found = open_bindings(tx)
            if act == "close_episode":
                found = (
                    [one for one in found if one.binding_id.hex() == request["binding"]]
                    if "binding" in request
                    else [the_wearer(tx, str(request.get("device") or ""))]
                )
            elif act == "patient_lost":
                lost = find_bound_device(tx, request.get("device"))
                found = [one for one in found if one.device == lost]
            elif device_id is not None:
                found = [one for one in found if one.device_id == device_id]
            return [(one, standing_high(tx, one)) for one in found], {
                one.binding_id for one in open_bindings(tx)
            }

        needed = {}
        rows, known = await self._parts.store.read(read)
        about = [(one.binding_id, one.device_id, one.patient, standing) for one, standing in rows]
        if act not in ("close_episode", "patient_lost"):
            about += [
                (bound_to, view.device_id, None, set())
                for view in self._parts.live.views.values()
                if device_id in (None, view.device_id)
                and (bound_to := view.status.binding_id if view.status else NO_BINDING)
                not in (*known, NO_BINDING)
            ]
        for binding_id, about_device, patient, standing in about:
            alarms = standing | self._live_high(about_device)
            if act == "pause":  # under the others the wearable itself refuses a pause
                alarms = {one for one in alarms if one != PAUSE_OVER and not is_physiological(one)}
            if alarms:
                needed[binding_id.hex()] = {
                    "patient": patient or about_device.hex(), "device_id": about_device.hex(),
                    "alarms": sorted(alarm_name(one) for one in alarms),
                }  # fmt: skip
        return needed

    async def check(self, act: str, request: dict[str, Any]) -> set[bytes]:
        """Returns when nothing stands, or when `proof` of the request is a signed act that covers what stands.

        The act is then in the chain, and every receiver is told. GuardNeeded and EntryRefused say why it may not be.
        The answer are the bindings that somebody stands for.
        """
        device_id = await self._device_id(act, request)
        needed = await self._needed(act, request, device_id)
        proof = request.get("proof")
        if proof is None:
            if needed:
                raise GuardNeeded(stands_text(needed))
            return set()
        raw, signature = str(proof["entry"]).encode(), bytes.fromhex(proof["signature"])
        try:
            entry = decode(raw)
        except MalformedEntryError as error:
            raise GuardNeeded(f"The proof is no entry: {error}.") from None
        if (entry.kind, entry.values.get("act")) != ("act", act) or not _covers(entry, needed):
            raise GuardNeeded(f"What was signed does not cover this. {stands_text(needed)}".strip())
        ticket: Any = entry.values.get("ticket")
        if not self._tickets.is_good(act, request, device_id, ticket):
            raise GuardNeeded(
                "What was signed was not asked for by this agent, was for another request, or was used already.",
                "Give the command again.",
            )
        parts = self._parts
        with self._tickets.used(ticket):
            await admission.take(parts.store, raw, signature, parts.clock.utc_ms(), parts.escalation.signed)
        return {bytes.fromhex(binding) for binding in entry.values["patients"]}

    async def check_entry(self, raw: bytes) -> None:
        """The end of an episode stands for what the wearable says now, too, and not for what is stored alone."""
        try:
            entry = decode(raw)
        except MalformedEntryError:
            return  # refused, and counted, where entries are taken
        if entry.kind != "close_episode":
            return
        needed = await self._needed("close_episode", {"binding": entry.binding}, None)
        missing = [
            one for one in needed.values() if set(one["alarms"]) - set(_names(entry.values.get("alarms")))
        ]
        if missing:
            raise GuardNeeded(stands_text(needed))

    async def _device_id(self, act: str, request: dict[str, Any]) -> bytes | None:
        """The wearable that this act concerns; None: perhaps every one."""
        if act not in ACTS:
            raise HostAgentError(
                f"There is no act {act!r}.", "Update the agent and the command line together."
            )
        links = self._parts.links
        if act in ("patient_start", "patient_end", "pause", "revoke"):
            return (await find_session(links, request.get("device"))).device_id
        if act == "release":
            return find_link(links, str(request["port"])).report.device_id
        return None

    def _live_high(self, device_id: bytes) -> set[int]:
        """What the wearable said last in this run of the agent; a link that broke takes nothing back."""
        view = self._parts.live.views.get(device_id)
        if view is None:
            return set()
        pairs = [*view.sounding.items(), *getattr(view.live, "alarms", ())]
        return {alarm for alarm, priority in pairs if priority >= PRIORITY_HIGH}


def stands_text(needed: Mapping[str, Mapping[str, Any]]) -> str:
    """What stands about whom, as sentences for people."""
    return " ".join(
        f"HIGH alarms stand about {one['patient']}: {', '.join(map(noun_of, one['alarms']))}."
        for one in needed.values()
    )


def _names(alarms: object) -> list[str]:
    return [one for one in alarms if isinstance(one, str)] if isinstance(alarms, list) else []


def _covers(entry: Entry, needed: dict[str, dict[str, Any]]) -> bool:
    patients, alarms = entry.values.get("patients"), entry.values.get("alarms")
    if not isinstance(patients, dict) or not isinstance(alarms, list):
        return False
    return needed.keys() <= patients.keys() and all(
        set(one["alarms"]) <= set(alarms) for one in needed.values()
    )
