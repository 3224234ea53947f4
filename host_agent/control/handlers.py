"""What the control socket offers: each handler takes the request's fields and returns plain JSON values."""

import os
from typing import TYPE_CHECKING, Any

from crs_core.wire import message as wire

from host_agent.control.socket import Handler
from host_agent.errors import HostAgentError, RequestRefused, StoreError
from host_agent.forward.queue import count_waiting
from host_agent.keys.keyfile import ROLE_NAMES
from host_agent.link.supervisor import RELEASE_MAX_S, LinkReport, LinkState
from host_agent.patient import binding
from host_agent.patient.binding_rows import give_up_wearable
from host_agent.patient.profile import make_profile
from host_agent.people import admission
from host_agent.people.rule_sending import known_rules
from host_agent.sync.engine import SyncEngine
from host_agent.sync.live import View, live_text, live_values

if TYPE_CHECKING:
    from host_agent.agent import Agent

_NEW_HELLO_S = 3.0  # real: a new session on a link that is open


class NoSession(HostAgentError):  # noqa: N818 named by the condition, as in errors.py
    """The command needs the wearable in session."""

    code = "no_session"
    default_advice = "Connect the wearable and wait until `cytowatch status` says in session."


class Commands:
    """The handlers of one agent."""

    def __init__(self, agent: "Agent") -> None:
        self._agent = agent

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
            "stop": self._stop,
        }

    async def _status(self, request: dict[str, Any]) -> dict[str, Any]:
        agent = self._agent
        try:
            waiting = await agent.store.read(count_waiting)
        except StoreError:
            waiting = None
        device_ids = {*agent.keys(), *agent.monitor.views}
        return {
            "pid": os.getpid(),
            "simulation_speed": agent.clock.speed,
            "now_utc_ms": agent.clock.utc_ms(),
            "ports": [_report(report) for report in agent.links.reports.values()],
            "devices": [_view(agent.monitor.view(device_id)) for device_id in sorted(device_ids)],
            "outbox_waiting": waiting,
            "targets": {
                worker.name: {**worker.counters._asdict(), "last_error": worker.last_error}
                for worker in agent.workers
            },
            "store_error": str(agent.monitor.store_error) if agent.monitor.store_error else None,
            "key_errors": agent.key_errors,
            "link_counters": {port: runner.link_counters for port, runner in agent.links.runners.items()},
        }

    async def _release(self, request: dict[str, Any]) -> dict[str, Any]:
        port, seconds = str(request["port"]), float(request["seconds"])
        if not 0 < seconds <= RELEASE_MAX_S:
            raise HostAgentError(
                f"A port can be released for 1 s to {RELEASE_MAX_S:g} s.",
                "Nobody is monitored meanwhile: ask for less.",
            )
        await self._supervisor(port).release(seconds)
        return {"port": port, "seconds": seconds}

    async def _retake(self, request: dict[str, Any]) -> dict[str, Any]:
        port = str(request["port"])
        self._supervisor(port).retake()
        return {"port": port}

    def _supervisor(self, port: str) -> Any:
        wanted = os.path.realpath(port)
        for name, supervisor in self._agent.links.supervisors.items():
            if os.path.realpath(name) == wanted:
                return supervisor
        known = ", ".join(self._agent.links.supervisors) or "none"
        raise HostAgentError(f"This agent does not hold {port}.", f"It holds: {known}.")

    async def _patient_start(self, request: dict[str, Any]) -> dict[str, Any]:
        profile = make_profile(**request["profile"])
        engine = await self._engine(request.get("device"))
        settings = await engine.client.get_settings()
        site = _settings(settings.data).get("site", "")
        return await binding.start_binding(
            self._agent.store, engine, profile, site=site, utc_ms=self._agent.clock.utc_ms()
        )

    async def _patient_end(self, request: dict[str, Any]) -> dict[str, Any]:
        agent = self._agent
        now_ms = agent.clock.utc_ms()
        lost = str(request.get("wearable_lost") or "")
        if lost:
            device = await agent.store.read(lambda tx: self._device_row(tx, request.get("device")))
            ended = await agent.store.write(lambda tx: give_up_wearable(tx, device, lost, now_ms))
            return {"binding_id": ended.binding_id.hex(), "patient": ended.pseudonym, "device_id": None}
        engine = await self._engine(request.get("device"))
        return await binding.end_binding(agent.store, engine, str(request.get("override") or ""), now_ms)

    async def _pause(self, request: dict[str, Any]) -> dict[str, Any]:
        seconds, why = int(request["seconds"]), int(request["why"])
        done = await self._ask_pause(request, wire.Pause(wire.PAUSE_BEGIN, why, seconds))
        return {**done, "seconds": seconds, "until_utc_ms": self._agent.clock.utc_ms() + seconds * 1000}

    async def _pause_end(self, request: dict[str, Any]) -> dict[str, Any]:
        return await self._ask_pause(request, wire.Pause(wire.PAUSE_END, 0, 0))

    async def _ask_pause(self, request: dict[str, Any], message: wire.Pause) -> dict[str, Any]:
        engine = await self._engine(request.get("device"))
        try:
            await engine.client.command(message)
        except RequestRefused as error:
            if error.result_code != wire.RESULT_BUSY:
                raise
            raise RequestRefused(
                str(error), error.result_code, "Nothing was changed; what is active shows `cytowatch status`."
            ) from None
        status = self._agent.monitor.view(engine.device_id).status
        return {
            "device_id": engine.device_id.hex(),
            "simulated": bool(status.flags & wire.STATUS_SIMULATED) if status else False,
        }

    async def _hosts(self, request: dict[str, Any]) -> dict[str, Any]:
        engine = await self._engine(request.get("device"))
        answer = await engine.client.ask(wire.Keys(wire.KEYS_LIST, 0), wire.KeysIs)
        own = engine.client.key.key_id if engine.client.key else 0
        return {
            "device_id": engine.device_id.hex(),
            "hosts": [
                {
                    "key_id": f"{key.key_id:08x}",
                    "role": ROLE_NAMES.get(key.role, str(key.role)),
                    "name": key.name,
                    "this_host": key.key_id == own,
                }
                for key in answer.keys
            ],
        }

    async def _revoke(self, request: dict[str, Any]) -> dict[str, Any]:
        engine = await self._engine(request.get("device"))
        key_id = int(str(request["key_id"]), 16)
        if engine.client.key and key_id == engine.client.key.key_id:
            raise HostAgentError(
                "This is the key of this very host.", "Revoke it from another host, or provision again."
            )
        await engine.client.command(wire.Keys(wire.KEYS_REVOKE, key_id))
        return {"device_id": engine.device_id.hex(), "key_id": f"{key_id:08x}"}

    async def _entry_begin(self, request: dict[str, Any]) -> dict[str, Any]:
        """What a person's own process needs to compose and sign an entry; keys and passphrases never come here."""
        agent = self._agent
        device = str(request.get("device") or "").lower() if request["about_patient"] else None
        begun = await agent.store.read(lambda tx: admission.begin(tx, device, agent.clock.utc_ms()))
        return begun._asdict()

    async def _entry_take(self, request: dict[str, Any]) -> dict[str, Any]:
        agent = self._agent
        raw, signature = str(request["entry"]).encode(), bytes.fromhex(request["signature"])
        taken = await admission.take(agent.store, raw, signature, agent.clock.utc_ms())
        if taken.for_wearable:
            agent.context_sender.wake()
        if taken.entry.kind in ("rules", "limits"):
            agent.verifier.rules_by_hash.update(await agent.store.read(known_rules))
            agent.context_sender.wake()
        return admission.plain(taken)

    async def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        self._agent.stop()
        return {"pid": os.getpid()}

    async def _engine(self, device: str | None) -> SyncEngine:
        """The session that a command means: named by (the start of) its device id, or the only one.

        After a change of journal the wearable says HELLO anew on an open link: that is waited for.
        """
        engines = []
        for port, runner in self._agent.links.runners.items():
            is_open = self._agent.links.supervisors[port].report.state == LinkState.OPEN
            engine = await runner.wait_engine(_NEW_HELLO_S if is_open else 0)
            if engine is not None:
                engines.append(engine)
        if device:
            engines = [engine for engine in engines if engine.device_id.hex().startswith(device.lower())]
            if len(engines) != 1:
                raise NoSession(f"No single wearable {device} is in session now.")
            return engines[0]
        if not engines:
            raise NoSession("No wearable is in session now.")
        if len(engines) > 1:
            names = ", ".join(engine.device_id.hex() for engine in engines)
            raise NoSession(f"Several wearables are in session: {names}.", "Name one with --device.")
        return engines[0]

    @staticmethod
    def _device_row(tx: Any, device: str | None) -> int:
        rows = tx.execute(
            "SELECT d.id, d.device_id FROM devices d JOIN bindings b ON b.device = d.id AND b.state <> 'ended'"
        ).fetchall()
        rows = [row for row in rows if row[1].hex().startswith((device or "").lower())]
        if len(rows) != 1:
            raise NoSession(f"{len(rows)} bound wearables match.", "Name one with --device.")
        return int(rows[0][0])


def _settings(text: str | bytes) -> dict[str, str]:
    lines = (text.decode() if isinstance(text, bytes) else text).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _report(report: LinkReport) -> dict[str, Any]:
    fields = report._asdict()
    fields["state"] = report.state.value
    fields["device_id"] = report.device_id.hex() if report.device_id else None
    return fields


def _view(view: View) -> dict[str, Any]:
    status = view.status
    simulated = bool(status.flags & wire.STATUS_SIMULATED) if status else None
    return {
        "device_id": view.device_id.hex(),
        "simulated": simulated,
        "link": _report(view.link) if view.link else {"state": "never opened"},
        "caught_up": view.is_caught_up,
        "bound": bool(status.flags & wire.STATUS_BOUND) if status else None,
        "maintenance": bool(status.flags & wire.STATUS_MAINTENANCE) if status else None,
        "live": live_values(view.live),
        "live_text": live_text(view.live, simulated),
        "live_utc_ms": view.live_utc_ms,
        "head_seq": status.head_seq if status else None,
        "battery_mv": status.battery_mv if status else None,
        "battery": view.battery.values(),
        "heap_free_bytes": status.heap_free if status else None,
    }
