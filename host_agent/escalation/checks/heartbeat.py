"""The heartbeat outwards: a sign of life to a watcher outside, only while the agent truly watches.

A watcher that is not reached is an alarm, HEARTBEAT_UNHEARD: if the laptop died now, nobody would ring. It is LOW:
monitoring and alarms go on, and the watcher rings by itself when it hears nothing. A simulation has no heartbeat, so
that it keeps no watcher of real patients quiet.
"""

import contextlib
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol

from crs_core.codes import HEARTBEAT_UNHEARD, NOBODY_REACHED, PRIORITY_LOW

from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts, Finding
from host_agent.escalation.checks.silence_rules import ALL, Limits
from host_agent.escalation.checks.standing import make_stand, stands
from host_agent.escalation.pauses import open_pause
from host_agent.forward.delivery import Delivered, Outcome
from host_agent.forward.heartbeat import WATCHING, HeartbeatSection
from host_agent.store.bindings import open_bindings
from host_agent.store.counters import count
from host_agent.store.db import Tx
from host_agent.store.devices import device
from host_agent.store.host_alarms import open_alarms
from host_agent.sync.live import Heard
from host_agent.text import span_text

_LOG = logging.getLogger(__name__)
SENT, FAILED = "heartbeat_sent", "heartbeat_failed"  # counters of the store
_FAILS_S = 300.0  # and three missed signs of life, until it is an alarm
_SILENCE_GRACE_S = 90.0  # from when silence must be an alarm until this check misses that alarm


class Watcher(Protocol):
    """The part of `Heartbeat` that is needed here."""

    async def ask(self, text: str, *, fails: bool = False) -> Outcome: ...

    async def close(self) -> None: ...


class State(NamedTuple):
    """`heard_s`: when the watcher last took a sign of life, by the clock; `why_not`: why none is sent, "" when sent.

    `error`: of the last one, "" when the watcher took it.
    """

    heard_s: float | None = None
    why_not: str = ""
    error: str = ""
    failures: int = 0


class HeartbeatCheck:
    """`heard` as in `SilenceCheck`; `rings` says that there is an address that rings at once."""

    name = "heartbeat"

    def __init__(
        self,
        parts: CheckParts,
        watcher: Watcher,
        limits: Limits,
        *,
        every_s: int,
        rings: bool,
        heard: Callable[[], Mapping[bytes, Heard]],
    ) -> None:
        # woken or not, it looks as often as it is configured
        self.every_s = self.least_real_s = float(every_s)
        self.state = State()
        self._parts, self._watcher, self._limits = parts, watcher, limits
        self.stuck: Callable[[], list[str]] = list  # names of checks that do not run; set by who runs them
        self._rings, self._heard = rings, heard
        self._begin_s = parts.clock.monotonic()
        self._unheard_since_s = self._begin_s

    async def look(self) -> None:
        """One sign of life, or none; then the alarm as it must stand."""
        why_not = await self._why_not()
        if why_not != self.state.why_not:
            _LOG.log(
                logging.WARNING if why_not else logging.INFO,
                "heartbeat: %s", f"no sign of life is sent: {why_not}" if why_not else "it is sent again",
            )  # fmt: skip
        self.state = self.state._replace(why_not=why_not)
        if not why_not or self._rings:
            await self._ask(why_not or WATCHING, fails=bool(why_not))
        else:
            self._unheard_since_s = self._parts.clock.monotonic()
        await self._keep_alarm()

    async def stop(self, why: str) -> None:
        """The agent ends: while a patient is bound, the watcher rings at once where it has an address for that."""
        try:
            if self._rings and await self._parts.store.read(lambda tx: bool(open_bindings(tx))):
                await self._watcher.ask(f"The agent ended while a patient was bound: {why}", fails=True)
        except StoreError as error:
            _LOG.error("heartbeat: whether a patient is bound cannot be read: %s", error)
        finally:
            await self._watcher.close()

    def values(self) -> dict[str, Any]:
        """For `status`, as JSON values."""
        heard_s = self.state.heard_s
        now_s = self._parts.clock.monotonic()
        return {
            "heard_age_s": None if heard_s is None else round(now_s - heard_s, 1),
            "why_not": self.state.why_not, "error": self.state.error, "failures": self.state.failures,
        }  # fmt: skip

    async def _ask(self, text: str, *, fails: bool) -> None:
        outcome = await self._watcher.ask(text, fails=fails)
        now_s = self._parts.clock.monotonic()
        if isinstance(outcome, Delivered):
            self.state = self.state._replace(heard_s=now_s, error="", failures=0)
            self._unheard_since_s = now_s
            return
        if not self.state.error:
            _LOG.warning("heartbeat: the watcher outside was not reached: %s", outcome.reason)
        self.state = self.state._replace(error=outcome.reason, failures=self.state.failures + 1)
        with contextlib.suppress(StoreError):
            await self._parts.store.write(lambda tx: count(tx, None, FAILED))

    async def _keep_alarm(self) -> None:
        parts = self._parts
        unheard_s = parts.clock.monotonic() - self._unheard_since_s
        found: dict[int | None, Finding] = {}
        if self.state.error and unheard_s >= max(_FAILS_S, 3 * self.every_s):
            detail = f"the watcher outside has not been reached: {self.state.error}"
            found[None] = Finding(HEARTBEAT_UNHEARD, PRIORITY_LOW, detail)
        try:
            if not await parts.store.read(lambda tx: stands(tx, HEARTBEAT_UNHEARD, found)):
                keep = partial(
                    make_stand, derive=parts.derive, alarm=HEARTBEAT_UNHEARD, found=found,
                    utc_ms=parts.clock.utc_ms(),
                )  # fmt: skip
                await parts.store.write(keep)
        except StoreError as error:
            _LOG.error("the heartbeat cannot be stored: %s", error)
            if None in found:
                parts.alarm_from_memory(None, found[None])

    async def _why_not(self) -> str:
        """Why the agent does not truly watch, "" when it does."""
        if stuck := [name for name in self.stuck() if name != self.name]:
            return f"checks do not run: {', '.join(stuck)}"
        heard = self._heard()
        try:
            # a write, since an agent that cannot store watches from memory alone
            await self._parts.store.write(lambda tx: count(tx, None, SENT))
            return await self._parts.store.read(lambda tx: self._unwatched(tx, heard))
        except StoreError as error:
            return f"the store does not work: {error}"

    def _unwatched(self, tx: Tx, heard: Mapping[bytes, Heard]) -> str:
        """A bound wearable that is neither heard nor alarmed, or an alarm that reached nobody."""
        now_s, alarms = self._parts.clock.monotonic(), open_alarms(tx)
        # a LOW one may be about the watcher itself, and must not keep it from being heard again
        if any(alarm.alarm == NOBODY_REACHED and alarm.priority > PRIORITY_LOW for alarm in alarms):
            return "an alarm has reached nobody"
        silent = {alarm.device for alarm in alarms if alarm.alarm in ALL}
        for bound in open_bindings(tx):
            device_id = device(tx, bound.device).device_id
            if (last := heard.get(device_id)) is None:
                return "the key of a bound wearable is not on this laptop"
            newest_s = max(last.live_s or self._begin_s, last.stored_s or self._begin_s)
            unheard_s = now_s - newest_s
            if (
                unheard_s > self._limits.stale_s + _SILENCE_GRACE_S
                and bound.device not in silent
                and open_pause(tx, bound.device) is None
            ):
                return f"a bound wearable was not heard for {span_text(unheard_s)} and no alarm says so"
        return ""


def heartbeat_of(
    keys: HeartbeatSection,
    parts: CheckParts,
    limits: Limits,
    utc_ms: Callable[[], int],
    *,
    heard: Callable[[], Mapping[bytes, Heard]],
) -> HeartbeatCheck | None:
    """As the configuration says, None without an address; ConfigError for a secret."""
    if not keys.is_on:
        return None
    return HeartbeatCheck(
        parts, keys.forwarder(utc_ms), limits, every_s=keys.every_s, rings=bool(keys.fail_suffix),
        heard=heard,
    )  # fmt: skip
