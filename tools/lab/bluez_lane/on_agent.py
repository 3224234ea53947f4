"""Scenarios of the laptop's agent: a backlog, a power cut, an adapter that is switched off."""

import asyncio
import time

from host_agent.link.bluez_agent import system_bus
from tools.lab.bluez_lane.bed import SPEED, Bed, until
from tools.lab.bluez_lane.bus import set_powered
from tools.rig.journal_check import compare

_SYNC_S = 120.0
_NOTICED_S = 60.0
_BACKLOG_RECORDS = 50


async def agent_syncs_the_backlog(bed: Bed) -> str:
    """The real `cytowatch run` stores all that the wearable has: its flash and the store are held together."""
    laptop = bed.laptop
    laptop.start_on_radio(SPEED)
    await until(laptop.has_caught_up, _SYNC_S, "caught up")
    agreed = await _power_goes_and_all_is_there(bed)
    await asyncio.to_thread(bed.wearable.start)
    return agreed


async def agent_returns_after_a_power_cut(bed: Bed) -> str:
    """The wearable dies in session and starts again: the agent notices, and is back in session by itself."""
    laptop = bed.laptop
    await until(laptop.has_caught_up, _SYNC_S, "in session and caught up")
    cut_s = time.monotonic()
    await asyncio.to_thread(bed.wearable.kill)
    await until(lambda: not laptop.is_open(), _NOTICED_S, "the loss noticed")
    noticed_s = time.monotonic()
    await asyncio.to_thread(bed.wearable.start)
    await until(laptop.has_caught_up, _SYNC_S, "in session again and caught up")
    return f"noticed after {noticed_s - cut_s:.1f} s, caught up {time.monotonic() - noticed_s:.1f} s later"


async def agent_says_that_the_adapter_is_off(bed: Bed) -> str:
    """Bluetooth is switched off on the desktop: the link says that and what to do, and returns when it is on again."""
    laptop = bed.laptop
    assert await asyncio.to_thread(laptop.is_open), "not in session"
    async with system_bus() as bus:
        await set_powered(bus, False)
        try:
            link = await until(
                lambda: (found := laptop.link()).get("code") == "ble_unavailable" and found, _NOTICED_S,
                "the link says that Bluetooth is off",
            )  # fmt: skip
            assert "bluetoothctl power on" in link["advice"], link
        finally:
            await set_powered(bus, True)
    await until(laptop.has_caught_up, _SYNC_S, "in session again and caught up")
    agreed = await _power_goes_and_all_is_there(bed)
    assert await asyncio.to_thread(laptop.stop) == 0, "the agent ended badly"
    await asyncio.to_thread(bed.wearable.start)
    return f"{link['reason']}; {agreed}"


async def _power_goes_and_all_is_there(bed: Bed) -> str:
    await asyncio.to_thread(bed.wearable.kill)
    agreed = await asyncio.to_thread(compare, bed.wearable.image, bed.laptop.database)
    assert agreed >= _BACKLOG_RECORDS, f"only {agreed} records"
    return f"{agreed} records, 0 lost, 0 doubled"
