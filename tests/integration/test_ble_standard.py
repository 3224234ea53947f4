"""Any generic central: bleak and the formats of the Bluetooth SIG, none of our code between the air and the numbers."""

import asyncio
import struct
from pathlib import Path

import pytest
from bleak import BleakClient
from bleak.exc import BleakError, BleakGATTProtocolError

from tools.rig.air_ward import PROFILES, AirWard, until

SIG = "0000{:04x}-0000-1000-8000-00805f9b34fb"
TEMPERATURE, TEMPERATURE_TYPE = SIG.format(0x2A1C), SIG.format(0x2A1D)
OXIMETER, FEATURES, LEVEL, TIME = (SIG.format(n) for n in (0x2A5F, 0x2A60, 0x2A19, 0x2A2B))
MAKER, MODEL, SERIAL, REVISION = (SIG.format(n) for n in (0x2A29, 0x2A24, 0x2A25, 0x2A26))
HEALTH = {SIG.format(n) for n in (0x1809, 0x1822, 0x180F, 0x1805)}


def read_float(data: bytes) -> float:
    """FLOAT by the standard's words: signed 8-bit exponent of ten over a signed 24-bit mantissa."""
    mantissa = int.from_bytes(data[:3], "little", signed=True)
    return mantissa * 10.0 ** struct.unpack("<b", data[3:4])[0]


def read_sfloat(data: bytes) -> float:
    """SFLOAT: signed 4-bit exponent over a signed 12-bit mantissa."""
    (word,) = struct.unpack("<H", data)
    mantissa, exponent = word & 0xFFF, word >> 12
    return (mantissa - 4096 if mantissa & 0x800 else mantissa) * 10.0 ** (
        exponent - 16 if exponent & 8 else exponent
    )


async def passkey(ward: AirWard) -> int:
    """What the laptop of the custodian would show."""
    from crs_core.wire import gatt_uuids

    from tools.rig.image import CUSTODIAN

    session = await ward.session()
    journal_id = session.peer.journal_id
    await ward.end(session)
    return gatt_uuids.passkey(CUSTODIAN.key, journal_id)


@pytest.mark.parametrize("profile", PROFILES)
async def test_who_it_is_can_be_read_by_everybody(tmp_path: Path, profile: str) -> None:
    async with AirWard.open(tmp_path, profile) as ward:
        device = await ward.find()
        async with BleakClient(device, backend=ward.client) as client:
            assert await client.read_gatt_char(MAKER) == b"CytoWatch"
            assert b"SIMULATED" in await client.read_gatt_char(MODEL)
            assert await client.read_gatt_char(REVISION)
            assert len(await client.read_gatt_char(SERIAL)) == 16


async def test_a_central_that_paired_reads_what_is_measured(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward:
        await ward.start_with_button()
        number = await passkey(ward)
        phone = await ward.another_adapter(1)
        device = await ward.find(phone)
        temperatures: list[bytes] = []
        oximetry: list[bytes] = []
        async with BleakClient(device, backend=phone.backends()[1]) as client:
            await client.pair(passkey=number)
            assert {service.uuid for service in client.services} >= HEALTH
            await client.start_notify(TEMPERATURE, lambda _, data: temperatures.append(bytes(data)))
            await client.start_notify(OXIMETER, lambda _, data: oximetry.append(bytes(data)))
            await until(lambda: len(temperatures) > 2 and len(oximetry) > 2, 20, "values")
            assert await client.read_gatt_char(TEMPERATURE_TYPE) == b"\x01", "armpit"
            (level,) = await client.read_gatt_char(LEVEL)
            assert 0 < level <= 100
            features = await client.read_gatt_char(FEATURES)
            assert len(features) == 7
            await until(lambda: not struct.unpack("<H", oximetry[-1][5:7])[0] & 1 << 13, 20, "a saturation")
            truth = await ward.control(cmd="state")
        flags, data = temperatures[-1][0], temperatures[-1]
        assert flags & 1 == 0, "degrees Celsius"
        assert abs(read_float(data[1:5]) - truth["truth"]["temp_c"]) < 0.3
        assert data[-1] == 1, "armpit"
        last = oximetry[-1]
        assert abs(read_sfloat(last[1:3]) - truth["truth"]["spo2_pct"]) < 2
        assert abs(read_sfloat(last[3:5]) - truth["truth"]["hr_bpm"]) < 6
        (measurement,) = struct.unpack("<H", last[5:7])
        assert measurement & 1 << 10, "data for demonstration: it is simulated"
        assert measurement & 1 << 7, "validated data"


async def test_the_time_is_served_once_a_host_gave_it_and_refused_before(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward:
        await ward.start_with_button()
        number = await passkey(ward)
        phone = await ward.another_adapter(1)
        device = await ward.find(phone)
        async with BleakClient(device, backend=phone.backends()[1]) as client:
            await client.pair(passkey=number)
            with pytest.raises(BleakGATTProtocolError):
                await client.read_gatt_char(TIME)
            from crs_core.wire import message as wire

            session = await ward.session()
            await session.ask(wire.Time(1_790_000_000_000, 50), wire.TimeIs)
            data = await client.read_gatt_char(TIME)
            await ward.end(session)
        year, month, day = struct.unpack("<HBB", data[:4])
        assert (year, month, day) == (2026, 9, 21)


async def test_before_pairing_nothing_of_the_patient_is_given(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward:
        device = await ward.find()
        async with BleakClient(device, backend=ward.client) as client:
            for uuid in (TEMPERATURE_TYPE, FEATURES, LEVEL, TIME):
                with pytest.raises(BleakGATTProtocolError) as refused:
                    await client.read_gatt_char(uuid)
                # a desktop reads the level by itself, and would pair at once if it were told that this helps
                assert refused.value.code in ((0x80,) if uuid == LEVEL else (5, 15))
            heard: list[bytes] = []
            for uuid in (TEMPERATURE, OXIMETER, LEVEL):
                await client.start_notify(uuid, lambda _, data: heard.append(bytes(data)))
            await asyncio.sleep(5)  # five minutes of the wearable's time, thirty readings
            assert heard == []


async def test_a_board_that_cannot_pair_shows_no_health_service(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "btstack") as ward:
        device = await ward.find()
        async with BleakClient(device, backend=ward.client) as client:
            assert not {service.uuid for service in client.services} & HEALTH
            with pytest.raises(BleakError):
                await client.read_gatt_char(LEVEL)
