"""`test-alarm` in the running agent: the real chain, each hop with its time.

The agent stores a marked event; each wearable drives light, buzzer and vibration; each receiver gets the event by its
own worker. What no receiver took by the end is withdrawn, so that no test arrives hours later.
"""

import asyncio
import json
import os
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from crs_core.codes import PRIORITY_LOW
from crs_core.wire import message as wire
from crs_core.wire import rights

from host_agent.clock import RealClock
from host_agent.control.find import open_sessions
from host_agent.control.parts import Parts
from host_agent.errors import LinkError, ProtocolError, RequestRefused, StoreError
from host_agent.escalation.receiver_test import delivery_of_test
from host_agent.store.bindings import open_bindings
from host_agent.store.db import Tx
from host_agent.store.devices import devices
from host_agent.store.outbox import Addressed, Delivery, add_delivery, deliveries_of, withdraw
from host_agent.sync.engine import SyncEngine
from host_agent.text import without_secrets

LONGEST_S = 25.0  # a command must answer within 30 s
_LOOK_S = 0.05
_OUTPUTS = 1 | 2 | 4  # light, buzzer, vibration
_DRIVEN = "look and listen"
_WITHDRAWN = "the test ended before this receiver had taken it"
_WITHHELD = "simulated; this receiver does not accept simulations"


class Hop(NamedTuple):
    """One step of the chain; `ms` is from the start of the test, None: it never ended."""

    kind: str
    name: str
    passed: bool
    ms: int | None
    text: str


class ChainTest:
    """One test; `seconds` is how long a receiver may take."""

    def __init__(self, parts: Parts, seconds: float) -> None:
        self._parts = parts
        self._seconds = min(seconds, LONGEST_S)
        self._clock = RealClock()
        self._start_s = self._clock.monotonic()

    async def run(self, device: str) -> list[Hop]:
        """Every hop; `device` is the start of a device id, "": every wearable that is bound or in session."""
        hops = [Hop("agent", "this laptop", True, self._ms(), "the agent answers")]
        wearables = asyncio.gather(*self._wearables(await self._wanted(device), device))
        try:
            keys = await self._parts.store.write(self._queue)
            hops.append(Hop("store", "this laptop", True, self._ms(), "the test event is stored"))
            self._parts.workers.wake()
            receivers = await self._receivers(keys)
        except StoreError as error:
            receivers = [Hop("store", "this laptop", False, None, f"{error} {error.advice}")]
        return hops + list(await wearables) + receivers

    def _ms(self) -> int:
        return round((self._clock.monotonic() - self._start_s) * 1000)

    def _queue(self, tx: Tx) -> list[str]:
        """One message for each receiver, through its own queue; returns their keys."""
        parts, token, now_ms = self._parts, os.urandom(8).hex(), self._clock.utc_ms()
        simulated = parts.clock.speed != 1.0
        keys = []
        for worker in parts.workers:
            test = delivery_of_test(worker.name, token, "LOW", parts.clock.utc_ms(), simulated=simulated)
            payload = test.body.decode()
            why = _WITHHELD if simulated and not worker.accept_simulated else ""
            add_delivery(
                tx,
                Addressed(worker.name, test.event_key, None, PRIORITY_LOW, simulated, payload, why),
                now_ms,
            )
            keys.append(test.event_key)
        return keys

    async def _wanted(self, device: str) -> dict[bytes, str]:
        """Device id → name of each wearable that must be there: every bound one, or those that `device` names."""

        def read(tx: Tx) -> dict[bytes, str]:
            bound = {one.device_id for one in open_bindings(tx)}
            known = {one.device_id: one.label for one in devices(tx)}
            wanted = {one for one in known if one.hex().startswith(device)} if device else bound
            return {one: known.get(one, one.hex()) for one in wanted}

        try:
            return await self._parts.store.read(read)
        except StoreError:
            return {}

    def _wearables(self, wanted: dict[bytes, str], device: str) -> Iterable[Any]:
        engines = {
            one.device_id: one for one in open_sessions(self._parts.links) if one.device_id.hex().startswith(device)
        }  # fmt: skip
        if not wanted and not engines:
            yield self._missing("wearable", f"{device or 'none'}", "no wearable is bound or in session here")
        for device_id in sorted({*wanted, *engines}):
            name = wanted.get(device_id, device_id.hex())
            if device_id in engines:
                yield self._wearable(engines[device_id], name)
            else:
                yield self._missing(
                    "wearable", name, "it is not in session, so it cannot be told anything now"
                )

    async def _missing(self, kind: str, name: str, why: str) -> Hop:
        return Hop(kind, name, False, None, why)

    async def _wearable(self, engine: SyncEngine, name: str) -> Hop:
        key = engine.client.key
        if key is not None and not key.may(rights.SETTINGS):
            return Hop(
                "wearable",
                name,
                False,
                None,
                "this laptop's key may not test it: ask the laptop of its custodian",
            )
        try:
            answer = await engine.client.ask(wire.SelfTest(_OUTPUTS), wire.SelfTestIs, self._seconds)
            done = str(json.loads(answer.text)["parts"]["outputs"]["done"])
        except (LinkError, ProtocolError, RequestRefused) as error:
            return Hop("wearable", name, False, None, str(error))
        except (ValueError, LookupError, TypeError):
            return Hop("wearable", name, False, self._ms(), "its answer is not understood")
        if done != _DRIVEN:
            return Hop("wearable", name, False, self._ms(), done)
        return Hop(
            "wearable", name, True, self._ms(), "light, buzzer and vibration were driven: look and listen"
        )

    async def _receivers(self, keys: Sequence[str]) -> list[Hop]:
        """Until every receiver took it or refused it, or the time is over."""
        taken_ms: dict[str, int] = {}
        while True:
            rows = await self._parts.store.read(lambda tx: deliveries_of(tx, keys))
            for row in rows:
                if row.state != "pending":
                    taken_ms.setdefault(row.target, self._ms())
            if len(taken_ms) == len(rows) or self._clock.monotonic() - self._start_s > self._seconds:
                break
            await self._clock.sleep(_LOOK_S)
        await self._parts.store.write(lambda tx: withdraw(tx, keys, _WITHDRAWN))
        if not rows:
            return [Hop("receiver", "none", False, None, "no receiver is configured: cytowatch config")]
        hops = [self._receiver(row, taken_ms.get(row.target)) for row in rows]
        if not self._parts.escalation.reaching:
            why = "no receiver reaches a person: add one that calls somebody, or a [[contact]]"
            hops.append(Hop("people", "none", False, None, why))
        return hops

    def _receiver(self, row: Delivery, ms: int | None) -> Hop:
        error = without_secrets(row.last_error)
        texts = {
            "delivered": "handed over",
            "refused": f"refused: {error}",
            "withheld": f"not sent: {error}",
            "pending": f"not taken within {self._seconds:g} s" + (f": {error}" if error else ""),
        }
        return Hop("receiver", row.target, row.state == "delivered", ms, texts[row.state])
