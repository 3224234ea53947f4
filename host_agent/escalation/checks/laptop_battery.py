"""A laptop on its battery stops monitoring when that is empty: LAPTOP_BATTERY, for each wearable that is worn.

LOW after half a minute on the battery, MEDIUM at 30 % or an hour left, HIGH at 15 % or 20 minutes: who is called at
MEDIUM has a quarter of an hour before it would be HIGH, and who is called at HIGH still finds a laptop that runs. A
battery that does not say how full it is counts as MEDIUM. The numbers are proposals that a clinician must sign. It ends
when the laptop is plugged in.
"""

import asyncio
from collections.abc import Callable

from crs_core.codes import LAPTOP_BATTERY, PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_MEDIUM

from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts, Finding
from host_agent.escalation.checks.standing import make_stand, stands
from host_agent.platform.power_supply import Power
from host_agent.store.bindings import open_bindings
from host_agent.store.db import Tx

AFTER_S = 30.0  # a plug that is moved from one socket to another calls nobody
MEDIUM_PERCENT, MEDIUM_MIN = 30, 60
HIGH_PERCENT, HIGH_MIN = 15, 20


def finding(power: Power) -> Finding | None:
    """What must stand about this laptop now; None while it is plugged in, has no battery, or nothing is known."""
    if not power.on_battery:
        return None
    percent, minutes = power.percent, power.minutes
    if (percent is not None and percent <= HIGH_PERCENT) or (minutes is not None and minutes <= HIGH_MIN):
        priority = PRIORITY_HIGH
    elif percent is None or percent <= MEDIUM_PERCENT or (minutes is not None and minutes <= MEDIUM_MIN):
        priority = PRIORITY_MEDIUM
    else:
        priority = PRIORITY_LOW
    return Finding(LAPTOP_BATTERY, priority, "" if percent is None else f"{_stage(percent)} % left")


def _stage(percent: int) -> int:
    """In steps of five, rounded down: a text that changes with each percent is read by nobody."""
    return percent if percent < 5 else percent // 5 * 5


class LaptopBatteryCheck:
    """`read` is asked in a thread of its own: a driver may take its time. A read that hangs is the runner's to tell."""

    name = "laptop battery"
    every_s = 10.0
    least_real_s = 1.0

    def __init__(self, parts: CheckParts, read: Callable[[], Power]) -> None:
        self._parts = parts
        self._read = read
        self._since_s: float | None = None
        self.power = Power(None)

    async def look(self) -> None:
        """Judge now."""
        parts, now_s = self._parts, self._parts.clock.monotonic()
        self.power = await asyncio.to_thread(self._read)
        now = finding(self.power)
        self._since_s = None if now is None else now_s if self._since_s is None else self._since_s
        is_due = self._since_s is not None and (
            now_s - self._since_s >= AFTER_S or (now is not None and now.priority > PRIORITY_LOW)
        )

        def found(tx: Tx) -> dict[int | None, Finding]:
            return {one.device: now for one in open_bindings(tx)} if now is not None and is_due else {}

        try:
            if not await parts.store.read(lambda tx: stands(tx, LAPTOP_BATTERY, found(tx))):
                await parts.store.write(
                    lambda tx: make_stand(tx, parts.derive, LAPTOP_BATTERY, found(tx), parts.clock.utc_ms())
                )
        except StoreError:
            if now is not None and is_due:
                parts.alarm_from_memory(None, now)
