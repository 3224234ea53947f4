"""Scenarios of the laptop's agent: a backlog, a power cut, an adapter that is switched off."""

import time
from typing import Any

from host_agent.errors import RadioUnavailable
from tools.rig.radio_bedside import RadioBedside
from tools.rig.waiting import until_async

_SYNC_S = 120.0
_NOTICED_S = 60.0
_BACKLOG_RECORDS = 50


async def _in_session(bedside: RadioBedside) -> None:
    """The agent runs and has caught up."""
    if not await bedside.link():
        await bedside.start_agent()
    await until_async(bedside.has_caught_up, _SYNC_S, "in session and caught up")


async def agent_syncs_the_backlog(bedside: RadioBedside) -> str:
    """The agent stores all that the wearable has, by radio alone: flash and store are held together."""

    async def is_enough() -> bool:
        return int((await bedside.status(client)).head_seq) >= _BACKLOG_RECORDS

    async with bedside.session() as client:
        await until_async(is_enough, _SYNC_S, "a backlog")
    await _in_session(bedside)
    agreed = await bedside.records_agree(_BACKLOG_RECORDS)
    await bedside.start_wearable()
    return f"{agreed} records, 0 lost, 0 doubled"


async def agent_returns_after_a_power_cut(bedside: RadioBedside) -> str:
    """The wearable dies in session and starts again: the agent notices, and is back in session by itself."""

    async def is_lost() -> bool:
        return not await bedside.is_open()

    await _in_session(bedside)
    cut_s = time.monotonic()
    await bedside.kill_wearable()
    await until_async(is_lost, _NOTICED_S, "the loss noticed")
    noticed_s = time.monotonic()
    assert (await bedside.link())["reason"]
    await bedside.start_wearable()
    await _in_session(bedside)
    return f"noticed after {noticed_s - cut_s:.1f} s, caught up {time.monotonic() - noticed_s:.1f} s later"


async def agent_says_that_the_adapter_is_off(bedside: RadioBedside) -> str:
    """Bluetooth is switched off: the link says that and what to do, and returns by itself when it is on again."""

    async def unavailable() -> dict[str, Any] | None:
        link = await bedside.link()
        return link if link.get("code") == RadioUnavailable.code else None

    await _in_session(bedside)
    await bedside.power_adapter(False)
    try:
        link = await until_async(unavailable, _NOTICED_S, "the link says that Bluetooth is off")
        assert "Switch Bluetooth on" in link["advice"] and "bluetoothctl power on" in link["advice"], link
    finally:
        await bedside.power_adapter(True)
    await _in_session(bedside)
    agreed = await bedside.records_agree(1)
    await bedside.stop_agent()
    await bedside.start_wearable()
    return f"{link['reason']}; {agreed} records, 0 lost, 0 doubled over all"
