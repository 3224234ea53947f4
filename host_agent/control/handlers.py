"""The requests of the control socket: each handler takes the request's fields and returns plain JSON values."""

import os
from typing import Any

from crs_core.code_texts import role_name
from crs_core.wire import message as wire
from crs_core.wire import rights

from host_agent.clock import RealClock
from host_agent.control.chain_test import ChainTest
from host_agent.control.find import (
    find_bound_device,
    find_link,
    find_session,
    in_session,
    open_sessions,
    wait_next_session,
)
from host_agent.control.guard import Guard
from host_agent.control.parts import Parts
from host_agent.control.socket import Handler
from host_agent.control.status import status_values
from host_agent.errors import HostAgentError, RequestRefused
from host_agent.link.supervisor import RELEASE_MAX_S
from host_agent.patient import binding, phones
from host_agent.patient.binding_states import give_up_wearable
from host_agent.patient.profile import check_label, make_profile
from host_agent.people import admission
from host_agent.people.acts import reason_fault
from host_agent.people.asking import the_wearer
from host_agent.people.rule_sending import known_rules
from host_agent.store.db import Tx
from host_agent.store.undelivered import retry_deliveries
from host_agent.sync.engine import SyncEngine


class Commands:
    """The handlers of one running agent."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._guard = Guard(parts)

    def handlers(self) -> dict[str, Handler]:
        """Command name → handler."""
        return {
            "status": self._status,
            "release": self._release,
            "retake": self._retake,
            "patient_start": self._patient_start,
            "patient_end": self._patient_end,
            "pause": self._pause,
            "pause_end": self._pause_end,
            "hosts": self._hosts,
            "revoke": self._revoke,
            "entry_begin": self._entry_begin,
            "entry_take": self._entry_take,
            "guard": self._needed,
            "deliveries_retry": self._deliveries_retry,
            "phones": self._phones,
            "test_alarm": self._test_alarm,
            "stop": self._stop,
        }

    async def _status(self, request: dict[str, Any]) -> dict[str, Any]:
        return await status_values(self._parts)

    async def _release(self, request: dict[str, Any]) -> dict[str, Any]:
        port, seconds = str(request["port"]), float(request["seconds"])
        if not 0 < seconds <= RELEASE_MAX_S:
            raise HostAgentError(
                f"A port can be released for 1 s to {RELEASE_MAX_S:g} s.",
                "Its wearable is not monitored here meanwhile, so release the port for a shorter time.",
            )
        link = find_link(self._parts.links, port)
        await self._guard.check("release", request)
        await link.release(seconds)
        return {"port": port, "seconds": seconds}

    async def _retake(self, request: dict[str, Any]) -> dict[str, Any]:
        port = str(request["port"])
        find_link(self._parts.links, port).retake()
        return {"port": port}

    async def _patient_start(self, request: dict[str, Any]) -> dict[str, Any]:
        parts, profile = self._parts, make_profile(**request["profile"])
        engine = await find_session(parts.links, request.get("device"))
        has = phones.settings_in(await engine.client.get_settings())
        phones.demand_both(has, profile.call_number)
        label = check_label(str(request["label"])) if request.get("label") else ""
        start = binding.Start(profile, has.get("site", ""), request.get("second_wearable") is True, label)
        await binding.check_start(parts.store, engine, start)
        may_end = await self._guard.check("patient_start", request)
        started = await binding.start_binding(
            parts.store, engine, start, utc_ms=parts.clock.utc_ms(), may_end=may_end
        )
        await wait_next_session(parts.links, engine.device_id)
        return started

    async def _patient_end(self, request: dict[str, Any]) -> dict[str, Any]:
        parts = self._parts
        now_ms = parts.clock.utc_ms()
        lost, override = _reason(request, "wearable_lost"), _reason(request, "override")
        if lost:
            device = await parts.store.read(lambda tx: find_bound_device(tx, request.get("device")))
            await binding.check_not_lost(parts.store, open_sessions(parts.links), device)
            await self._guard.check("patient_lost", request)
            ended = await parts.store.write(lambda tx: give_up_wearable(tx, device, lost, now_ms))
            return {"binding_id": ended.binding_id.hex(), "patient": ended.patient or "", "device_id": None}
        engine = await find_session(self._parts.links, request.get("device"))
        await binding.check_end(parts.store, engine, override)
        await self._guard.check("patient_end", request)
        done = await binding.end_binding(parts.store, engine, override, now_ms)
        await wait_next_session(parts.links, engine.device_id)
        return done

    async def _pause(self, request: dict[str, Any]) -> dict[str, Any]:
        seconds, why = int(request["seconds"]), int(request["why"])
        await self._guard.check("pause", request)
        done = await self._ask_pause(request, wire.Pause(wire.PAUSE_BEGIN, why, seconds))
        return {**done, "seconds": seconds, "until_utc_ms": self._parts.clock.utc_ms() + seconds * 1000}

    async def _pause_end(self, request: dict[str, Any]) -> dict[str, Any]:
        return await self._ask_pause(request, wire.Pause(wire.PAUSE_END, 0, 0))

    async def _ask_pause(self, request: dict[str, Any], message: wire.Pause) -> dict[str, Any]:
        engine = await find_session(self._parts.links, request.get("device"))
        try:
            await engine.client.command(message)
        except RequestRefused as error:
            if error.result_code != wire.RESULT_BUSY:
                raise
            raise RequestRefused(
                str(error),
                error.result_code,
                "Nothing was changed. See `cytowatch status` for what is active.",
            ) from None
        status = self._parts.live.view(engine.device_id).status
        return {
            "device_id": engine.device_id.hex(),
            "simulated": bool(status.flags & wire.STATUS_SIMULATED) if status else False,
        }

    async def _hosts(self, request: dict[str, Any]) -> dict[str, Any]:
        engine, answer = await in_session(
            self._parts.links,
            request.get("device"),
            lambda engine: engine.client.ask(wire.Keys(wire.KEYS_LIST, 0), wire.KeysIs),
        )
        own = engine.client.key.key_id if engine.client.key else 0
        return {
            "device_id": engine.device_id.hex(),
            "hosts": [
                {
                    "key_id": f"{key.key_id:08x}",
                    "role": role_name(key.role),
                    "name": key.name,
                    "this_host": key.key_id == own,
                }
                for key in answer.keys
            ],
        }

    async def _revoke(self, request: dict[str, Any]) -> dict[str, Any]:
        engine = await find_session(self._parts.links, request.get("device"))
        key_id = int(str(request["key_id"]), 16)
        if engine.client.key and key_id == engine.client.key.key_id:
            raise HostAgentError(
                "This is the key of this laptop itself.",
                "Revoke it from another laptop, or provision the wearable again.",
            )
        await self._guard.check("revoke", request)
        await in_session(
            self._parts.links,
            engine.device_id.hex(),
            lambda engine: engine.client.command(wire.Keys(wire.KEYS_REVOKE, key_id)),
        )
        return {"device_id": engine.device_id.hex(), "key_id": f"{key_id:08x}"}

    async def _entry_begin(self, request: dict[str, Any]) -> dict[str, Any]:
        """What a person's own process needs to compose and sign an entry. Keys and passphrases never come here."""
        parts = self._parts

        def begin(tx: Tx) -> admission.Opening:
            wearer = the_wearer(tx, str(request.get("device") or "")) if request["about_patient"] else None
            return admission.begin(tx, wearer, parts.clock.utc_ms())

        return (await parts.store.read(begin))._asdict()

    async def _entry_take(self, request: dict[str, Any]) -> dict[str, Any]:
        parts = self._parts
        raw, signature = str(request["entry"]).encode(), bytes.fromhex(request["signature"])
        await self._guard.check_entry(raw)
        taken = await admission.take(
            parts.store, raw, signature, parts.clock.utc_ms(), parts.escalation.signed
        )
        if taken.for_wearable:
            parts.context_sender.wake()
        if taken.entry.kind == "accept":
            parts.acceptance_sender.wake()
        if taken.entry.kind in ("rules", "limits"):
            parts.verifier.rules_by_hash.update(await parts.store.read(known_rules))
            parts.context_sender.wake()
        return admission.plain(taken)

    async def _needed(self, request: dict[str, Any]) -> dict[str, Any]:
        """What a person must stand for before this act: nothing when `bindings` is empty."""
        return await self._guard.offer(str(request["act"]), request)

    async def _deliveries_retry(self, request: dict[str, Any]) -> dict[str, Any]:
        parts, ids = self._parts, [int(one) for one in request["ids"]]
        in_memory = len(parts.workers.undelivered())
        try:
            number = await parts.store.write(lambda tx: retry_deliveries(tx, RealClock().utc_ms(), ids))
        finally:  # what waits in memory does so because the store fails
            parts.workers.retry_now()
        return {"retried": number + in_memory}

    async def _phones(self, request: dict[str, Any]) -> dict[str, Any]:
        """Change whom texts say to call (`numbers`; empty: change nothing). The answer is what the wearable has."""
        numbers = {str(setting): str(number) for setting, number in dict(request["numbers"]).items()}

        async def bring(engine: SyncEngine) -> dict[str, str]:
            if numbers and engine.client.key is not None:
                engine.client.key.demand(rights.SETTINGS)
            return await phones.bring(engine.client, numbers)

        engine, has = await in_session(self._parts.links, request.get("device"), bring)
        return {"device_id": engine.device_id.hex(), **has}

    async def _test_alarm(self, request: dict[str, Any]) -> dict[str, Any]:
        await self._guard.check("test_alarm", request)
        hops = await ChainTest(self._parts, float(request["seconds"])).run(str(request.get("device") or ""))
        return {"hops": [hop._asdict() for hop in hops]}

    async def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        await self._guard.check("stop", request)
        self._parts.stop()
        return {"pid": os.getpid()}


def _reason(request: dict[str, Any], name: str) -> str:
    """The reason in this field, "" when it is left out; HostAgentError for one that says nothing."""
    if request.get(name) is None:
        return ""
    reason = str(request[name]).strip()
    if why := reason_fault(reason):
        raise HostAgentError(f"--{name.replace('_', '-')}: {why}.", "Say why in a few words.")
    return reason
