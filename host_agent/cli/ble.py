"""`scan` and `pair`: which wearables are heard by radio, and the number that a phone, or this laptop, types."""

import asyncio
from typing import Annotated, Any

import typer
from crs_core.wire import gatt_uuids as names

from host_agent.errors import ConfigError
from host_agent.keys import keyfile
from host_agent.keys.keyfile import DeviceKey
from host_agent.link import ble, ble_radio
from host_agent.link.ble_radio import Heard, Radio
from host_agent.paths import Paths, default_paths
from host_agent.store.journals import current_journal
from host_agent.terminal.options import DeviceOption, JsonOption
from host_agent.terminal.output import nothing, show, table
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.times import parse_span_s

LONGEST_SCAN_S = 300


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(scan)
    app.command()(pair)


def scan(
    lasting: Annotated[
        str, typer.Option("--for", metavar="SPAN", help="How long to listen, e.g. 10s; at most 5m.")
    ] = "10s",
    as_json: JsonOption = False,
) -> None:
    """Listen for wearables by radio. Says nothing about a patient: an advertisement holds none."""
    seconds = parse_span_s(lasting, "--for")
    if not 1 <= seconds <= LONGEST_SCAN_S:
        raise ConfigError(f"--for: from 1s to 5m, found {lasting!r}.", "Listen for a shorter time.")
    _need_bleak()
    keys, _ = keyfile.load_all(default_paths().keys)
    known = {names.tag(device_id): device_id.hex() for device_id in keys}
    heard = asyncio.run(_listen(seconds))
    data = [
        {
            "address": one.address, "device_id": known.get(one.tag), "rssi_dbm": one.rssi_dbm,
            "simulated": one.is_simulated, "may_pair": one.may_pair,
        }
        for one in sorted(heard.values(), key=lambda one: -(one.rssi_dbm or -999))
    ]  # fmt: skip
    if not data:
        nothing(
            f"No wearable was heard in {seconds:g} s. Is it charged, and within some metres?",
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


def pair(
    here: Annotated[
        bool, typer.Option("--here", help="Pair this laptop now, instead of showing the number for a phone.")
    ] = False,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the number that a phone types to pair with the wearable, or pair this laptop. Syncing needs no pairing."""
    paths = default_paths()
    key = _the_key(paths, device)
    number = names.passkey(key.key, _journal_id(paths, key.device_id))
    data: dict[str, Any] = {"device_id": key.device_id.hex(), "passkey": f"{number:06d}", "paired": False}
    gesture = (
        "Hold the wearable's button while it starts and let go after one second: two minutes are open then."
    )
    if not here:
        lines = [
            f"Number to type on the phone: {number:06d}",
            gesture,
            "It shows temperature, SpO2 and battery to that phone, until the wearable gets another patient.",
        ]
        show(data, lines, as_json=as_json)
        return
    _need_bleak()
    asyncio.run(_pair_here(key, number))
    data["paired"] = True
    show(data, [f"This laptop is paired with wearable {key.device_id.hex()}."], as_json=as_json)


async def _listen(seconds: float) -> dict[str, Heard]:
    heard: dict[str, Heard] = {}
    async with Radio().listening(lambda one: heard.__setitem__(one.address, one)):
        await asyncio.sleep(seconds)
    return heard


async def _pair_here(key: DeviceKey, number: int) -> None:
    radio = Radio()
    transport = await ble.open_ble(radio, key.device_id, f"ble:{key.device_id.hex()}")
    try:
        await ble.pair(transport, number, with_agent=(await radio.backend()).client is None)
    finally:
        transport.close()
        await transport.closed()


def _need_bleak() -> None:
    if not ble_radio.is_installed():
        raise ConfigError("The radio needs the package bleak.", "Install it: pip install 'cytowatch[ble]'.")


def _the_key(paths: Paths, device: str | None) -> DeviceKey:
    keys, _ = keyfile.load_all(paths.keys)
    found = [key for device_id, key in keys.items() if device_id.hex().startswith((device or "").lower())]
    if len(found) != 1:
        raise ConfigError(
            f"{len(found)} enrolled wearables match.",
            "Enrol it first (`cytowatch enrol FILE`), or name one with --device.",
        )
    if found[0].role != keyfile.ROLE_CUSTODIAN:
        raise ConfigError(
            "This laptop is a reader: only the custodian's knows the number.", "Ask there: `cytowatch pair`."
        )
    return found[0]


def _journal_id(paths: Paths, device_id: bytes) -> bytes:
    with open_store(paths) as tx:
        row = (
            tx.execute("SELECT id FROM devices WHERE device_id = ?", (device_id,)).fetchone() if tx else None
        )
        journal = current_journal(tx, row[0]) if tx is not None and row else None
    if journal is None:
        raise ConfigError(
            "The number belongs to the wearable's journal, and no session has shown it yet.",
            "Let the agent sync once (by cable or radio), then ask again.",
        )
    return journal.journal_id
