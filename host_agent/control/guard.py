"""The guard of this agent's requests that end monitoring: under a HIGH alarm somebody must stand for each.

What stands is read from the store and from what the wearables say now. A store that cannot be read lets nothing pass.
"""

from collections.abc import Mapping
from typing import Any

from crs_core.code_texts import alarm_name
from crs_core.codes import PAUSE_OVER, PRIORITY_HIGH, is_physiological

from host_agent.control.find import find_bound_device, find_link, find_session
from host_agent.control.parts import Parts
from host_agent.errors import HostAgentError
from host_agent.patient.standing import standing_high
from host_agent.people import admission
from host_agent.people.acts import ACTS
from host_agent.people.asking import the_wearer
from host_agent.people.entry import Entry, MalformedEntryError, decode
from host_agent.store.bindings import Binding, open_bindings
from host_agent.store.db import Tx


class GuardNeeded(HostAgentError):  # noqa: N818 named by the condition, as in errors.py
    """HIGH alarms stand, and nobody stands for what would end monitoring."""

    code = "guard_needed"
    default_advice = (
        "Give --account NAME, --reason TEXT and --patient PSEUDONYM. Under a terminal the command asks."
    )


class Guard:
    """One for each agent."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def needed(self, act: str, request: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Binding (hex) -> `patient`, `device_id` and the `alarms` that stand, for each patient this act concerns."""
        if act not in ACTS:
            raise HostAgentError(
                f"There is no act {act!r}.", "Update the agent and the command line together."
            )
        device_id = await self._device_id(act, request)

        def read(tx: Tx) -> list[tuple[Binding, set[int]]]:
            found = open_bindings(tx)
            if act == "close_episode":
                found = [the_wearer(tx, str(request.get("device") or ""))]
            elif act == "patient_lost":
                lost = find_bound_device(tx, request.get("device"))
                found = [one for one in found if one.device == lost]
            elif device_id is not None:
                found = [one for one in found if one.device_id == device_id]
            return [(one, standing_high(tx, one)) for one in found]

        needed = {}
        for binding, standing in await self._parts.store.read(read):
            alarms = standing | self._live_high(binding.device_id)
            if act == "pause":  # under the others the wearable itself refuses a pause
                alarms = {one for one in alarms if one != PAUSE_OVER and not is_physiological(one)}
            if alarms:
                needed[binding.binding_id.hex()] = {
                    "patient": binding.patient or binding.device_id.hex(), "device_id": binding.device_id.hex(),
                    "alarms": sorted(alarm_name(one) for one in alarms),
                }  # fmt: skip
        return needed

    async def check(self, act: str, request: dict[str, Any]) -> None:
        """Returns when nothing stands, or when `proof` of the request is a signed act that covers what stands.

        The act is then in the chain, and every receiver is told. GuardNeeded and EntryRefused say why it may not be.
        """
        needed = await self.needed(act, request)
        proof = request.get("proof")
        if proof is None:
            if needed:
                raise GuardNeeded(stands_text(needed))
            return
        raw, signature = str(proof["entry"]).encode(), bytes.fromhex(proof["signature"])
        try:
            entry = decode(raw)
        except MalformedEntryError as error:
            raise GuardNeeded(f"The proof is no entry: {error}.") from None
        if (entry.kind, entry.values.get("act")) != ("act", act) or not _covers(entry, needed):
            raise GuardNeeded(f"What was signed does not cover this. {stands_text(needed)}".strip())
        parts = self._parts
        await admission.take(parts.store, raw, signature, parts.clock.utc_ms(), parts.escalation.signed)

    async def _device_id(self, act: str, request: dict[str, Any]) -> bytes | None:
        """The wearable that this act concerns; None: perhaps every one."""
        links = self._parts.links
        if act in ("patient_end", "pause", "revoke"):
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
    """What stands about whom, as sentences."""
    return " ".join(
        f"HIGH alarms stand about {one['patient']}: {', '.join(one['alarms'])}." for one in needed.values()
    )


def _covers(entry: Entry, needed: dict[str, dict[str, Any]]) -> bool:
    patients, alarms = entry.values.get("patients"), entry.values.get("alarms")
    if not isinstance(patients, dict) or not isinstance(alarms, list):
        return False
    return needed.keys() <= patients.keys() and all(
        set(one["alarms"]) <= set(alarms) for one in needed.values()
    )
