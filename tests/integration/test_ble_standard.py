"""Any generic central: bleak and the formats of the Bluetooth SIG, none of our code between the air and the numbers."""

import asyncio
import struct
from pathlib import Path

import pytest
from bleak.exc import BleakError, BleakGATTProtocolError
from crs_core.wire import message as wire

from tools.rig import sig_formats as sig
from tools.rig.air_bedside import PROFILES, AirBedside


@pytest.mark.parametrize("profile", PROFILES)
async def test_who_it_is_can_be_read_by_everybody(tmp_path: Path, profile: str) -> None:
    async with AirBedside.open(tmp_path, profile) as bedside, bedside.any_app() as client:
        assert await client.read_gatt_char(sig.MAKER) == b"CytoWatch"
        assert b"SIMULATED" in await client.read_gatt_char(sig.MODEL)
        assert await client.read_gatt_char(sig.REVISION)
        assert await client.read_gatt_char(sig.SERIAL) == b"", "no id that everybody can read"


async def test_the_time_is_served_once_a_host_gave_it_and_refused_before(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble") as bedside:
        await bedside.start_with_button()
        number = await bedside.passkey()
        client = await bedside.connected(await bedside.another_adapter(1))
        await client.pair(passkey=number)
        with pytest.raises(BleakGATTProtocolError):
            await client.read_gatt_char(sig.TIME)
        async with bedside.session() as session:
            await session.ask(wire.Time(1_790_000_000_000, 50), wire.TimeIs)
            data = await client.read_gatt_char(sig.TIME)
        await client.disconnect()
        assert struct.unpack("<HBB", data[:4]) == (2026, 9, 21)


async def test_before_pairing_nothing_of_the_patient_is_given(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble") as bedside, bedside.any_app() as client:
        for uuid in (sig.TEMPERATURE_TYPE, sig.FEATURES, sig.LEVEL, sig.TIME):
            with pytest.raises(BleakGATTProtocolError) as refused:
                await client.read_gatt_char(uuid)
            # a desktop reads the level by itself, and would pair at once if it were told that this helps
            assert refused.value.code in ((0x80,) if uuid == sig.LEVEL else (5, 15))
        heard: list[bytes] = []
        for uuid in (sig.TEMPERATURE, sig.OXIMETER, sig.LEVEL):
            await client.start_notify(uuid, lambda _, data: heard.append(bytes(data)))
        await asyncio.sleep(5)  # five minutes of the wearable's time, thirty readings
        assert heard == []


async def test_a_board_that_cannot_pair_shows_no_health_service(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "btstack") as bedside, bedside.any_app() as client:
        assert not {service.uuid for service in client.services} & sig.HEALTH
        with pytest.raises(BleakError):
            await client.read_gatt_char(sig.LEVEL)
