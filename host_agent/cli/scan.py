"""`scan`: which wearables are heard by radio."""

import asyncio
from typing import Annotated

import typer

from host_agent.errors import ConfigError
from host_agent.keys import keyfile
from host_agent.link.ble_radio import Heard, Radio
from host_agent.paths import default_paths
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import nothing, show
from host_agent.terminal.radio import need_radio
from host_agent.terminal.times import parse_span_s
from host_agent.text import table

LONGEST_SCAN_S = 300


def scan(
    lasting: Annotated[
        str, typer.Option("--for", metavar="SPAN", help="How long to listen, for example 10s; at most 5m.")
    ] = "10s",
    as_json: JsonOption = False,
) -> None:
    """Listen for wearables by radio. What they send then says nothing about a patient.

    A wearable whose key is on this laptop is shown with its id, any other with its address alone. Pairing is open
    for two minutes after the gesture at the wearable.
    """
    seconds = parse_span_s(lasting, "--for")
    if not 1 <= seconds <= LONGEST_SCAN_S:
        raise ConfigError(f"--for: expected 1s to 5m, found {lasting!r}.", "Listen for a shorter time.")
    need_radio()
    keys, _ = keyfile.load_all(default_paths().keys)
    heard = asyncio.run(_listen(seconds))
    data = [
        {
            "address": one.address,
            "device_id": next((i.hex() for i, key in keys.items() if one.is_of(i, key.key)), None),
            "rssi_dbm": one.rssi_dbm,
            "simulated": one.is_simulated, "may_pair": one.may_pair,
        }
        for one in sorted(heard.values(), key=lambda one: -(one.rssi_dbm or -999))
    ]  # fmt: skip
    if not data:
        nothing(
            f"No wearable was heard in {seconds:g} s. Charge it, and bring it within some metres.",
            data,
            as_json=as_json,
        )
    rows = [
        [
            one["address"], one["rssi_dbm"], one["device_id"] or "not enrolled here",
            "open" if one["may_pair"] else "closed", "SIMULATED" if one["simulated"] else "",
        ]
        for one in data
    ]  # fmt: skip
    show(data, table(["address", "dBm", "wearable", "pairing", ""], rows), as_json=as_json)


async def _listen(seconds: float) -> dict[str, Heard]:
    heard: dict[str, Heard] = {}
    async with Radio().listening(lambda one: heard.__setitem__(one.address, one)):
        await asyncio.sleep(seconds)
    return heard
