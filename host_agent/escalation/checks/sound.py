"""This laptop sounds while an alarm stands that nobody answered; that it cannot be heard is the alarm NO_SOUND.

NO_SOUND is MEDIUM, because the wearable and the receivers still call, and HIGH while something should be heard now. It
is about each wearable that a patient wears, so that those who are called for that patient learn of it, and somebody can
accept it.
"""

import asyncio
import contextlib
from typing import NamedTuple, Protocol

from crs_core.codes import NO_SOUND, PRIORITY_HIGH, PRIORITY_MEDIUM

from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts, Finding
from host_agent.escalation.checks.standing import make_stand, stands
from host_agent.people.signed_records import death_in_force
from host_agent.sound.from_memory import FromMemory
from host_agent.sound.patterns import Pattern
from host_agent.sound.rule import due
from host_agent.store.bindings import open_bindings
from host_agent.store.db import Tx
from host_agent.store.sounding import Answer, Ringing, answers, ringing

_STORE_REAL_S = 2.0


class _Facts(NamedTuple):
    """`worn` are the wearables (row id, device id) that a patient wears and whose alarms sound here."""

    ringing: list[Ringing]
    answers: list[Answer]
    worn: list[tuple[int, bytes]]


class Heard(Protocol):
    """The part of a speaker that this check needs."""

    fault: str

    def want(self, pattern: Pattern | None, *, is_needed: bool) -> None: ...


class SwitchedOff:
    """In the place of a speaker where the configuration wants no sound: what an earlier run raised ends."""

    fault = ""

    def want(self, pattern: Pattern | None, *, is_needed: bool) -> None:
        """Nothing sounds."""


class SoundCheck:
    """Reads what stands, tells the speaker what is due, and alarms about a speaker that cannot be heard.

    This laptop's own alarms sound while a patient is monitored here, or while the store never said whether one is.
    While the store cannot be read, what it said last goes on sounding, with what memory has.
    """

    name = "sound"
    every_s = 0.5
    least_real_s = 0.2

    def __init__(
        self, parts: CheckParts, speaker: Heard, memory: FromMemory, *, simulated: bool, agent_simulated: bool
    ) -> None:
        """`simulated`: simulated wearables sound too. `agent_simulated`: the agent's own alarms are simulated."""
        self._parts = parts
        self._speaker = speaker
        self._memory = memory
        self._simulated = simulated
        self._agent_simulated = agent_simulated
        self._facts: _Facts | None = None
        self._may_stand = True  # an earlier run may have raised it

    async def look(self) -> None:
        """Judge what is due now."""
        parts, now_ms = self._parts, self._parts.clock.utc_ms()
        is_read = False
        with contextlib.suppress(StoreError, TimeoutError):
            async with asyncio.timeout(_STORE_REAL_S):
                self._facts = await parts.store.read(lambda tx: self._read(tx, now_ms))
            is_read = True
        standing, given, worn = self._facts or _Facts([], [], [])
        is_needed = bool(worn) or self._facts is None
        loud = [one for one in (*standing, *self._memory.ringing()) if is_needed or not one.is_own]
        pattern = due(loud, given, now_ms, simulated=self._simulated)
        self._speaker.want(pattern, is_needed=bool(worn))
        why = self._speaker.fault if worn else ""
        finding = Finding(NO_SOUND, PRIORITY_HIGH if pattern is not None else PRIORITY_MEDIUM, why)
        found: dict[int | None, Finding] = {device: finding for device, _ in worn} if why else {}
        try:
            if not is_read:
                raise StoreError("the store cannot be read")
            if found or self._may_stand:
                await self._make_stand(found)
        except StoreError:
            for device, device_id in worn if found else ():
                parts.alarm_from_memory(device_id, found[device])

    async def _make_stand(self, found: dict[int | None, Finding]) -> None:
        parts = self._parts
        self._may_stand = True
        if not await parts.store.read(lambda tx: stands(tx, NO_SOUND, found)):
            await parts.store.write(
                lambda tx: make_stand(tx, parts.derive, NO_SOUND, found, parts.clock.utc_ms())
            )
        self._may_stand = bool(found)

    def _read(self, tx: Tx, now_ms: int) -> _Facts:
        bound = open_bindings(tx)
        dead = {one.row for one in bound if death_in_force(tx, one.row) is not None}
        worn = [
            (one.device, one.device_id)
            for one in bound
            if one.row not in dead and (self._simulated or not (one.simulated or self._agent_simulated))
        ]
        return _Facts(ringing(tx, now_ms, dead), answers(tx), worn)
