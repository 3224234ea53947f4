"""`pair`: the number that a phone, or this laptop, types to pair with a wearable."""

import asyncio
from typing import Annotated, Any

import typer
from crs_core.wire import gatt_uuids as names

from host_agent.errors import ConfigError
from host_agent.keys import keyfile
from host_agent.keys.keyfile import DeviceKey
from host_agent.link import ble
from host_agent.link.ble_radio import Radio
from host_agent.paths import Paths, default_paths
from host_agent.store.devices import find_device
from host_agent.store.journals import current_journal
from host_agent.terminal.options import DeviceOption, JsonOption
from host_agent.terminal.output import show
from host_agent.terminal.radio import need_radio
from host_agent.terminal.reading_store import open_store


def pair(
    here: Annotated[
        bool, typer.Option("--here", help="Pair this laptop now instead of showing the number.")
    ] = False,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the number that pairs a phone with the wearable, or pair this laptop.

    Pairing lets any Bluetooth health app read temperature, SpO2 and battery. Syncing needs no pairing: the session
    has its own encryption.

    To pair, hold the wearable's button while it starts and release it after one second. It blinks blue, and you
    have two minutes. Three wrong numbers close the window.

    `cytowatch patient start` and `cytowatch patient end` change the number and make the wearable forget every
    phone. A wearable whose radio cannot pair (stock Pico 2 W) offers nothing to health apps and needs no number. If
    the phone or the wearable has forgotten the pairing, remove the wearable in the phone's Bluetooth settings and
    pair again.
    """
    paths = default_paths()
    key = _the_key(paths, device)
    number = names.passkey(key.key, _journal_id(paths, key.device_id))
    data: dict[str, Any] = {"device_id": key.device_id.hex(), "passkey": f"{number:06d}", "paired": False}
    gesture = "Hold the wearable's button while it starts and release it after one second."
    if not here:
        lines = [
            f"Number to type on the phone: {number:06d}",
            gesture,
            "You then have two minutes to pair.",
            "The phone can then read temperature, SpO2 and battery until the wearable gets another patient.",
        ]
        show(data, lines, as_json=as_json)
        return
    need_radio()
    asyncio.run(_pair_here(key, number))
    data["paired"] = True
    show(data, [f"This laptop is paired with wearable {key.device_id.hex()}."], as_json=as_json)


async def _pair_here(key: DeviceKey, number: int) -> None:
    radio = Radio()
    transport = await ble.open_ble(radio, key.device_id, key.key, f"ble:{key.device_id.hex()}")
    try:
        await ble.pair(transport, number, with_agent=(await radio.backend()).client is None)
    finally:
        transport.close()
        await transport.closed()


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
        device = find_device(tx, device_id) if tx is not None else None
        journal = current_journal(tx, device.id) if tx is not None and device is not None else None
    if journal is None:
        raise ConfigError(
            "The number belongs to the wearable's journal, and no session has shown it yet.",
            "Let the agent sync once (by cable or radio), then ask again.",
        )
    return journal.journal_id
