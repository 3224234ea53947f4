"""Scenarios of pairing: what strangers do not get, what the paired read, and what becomes of a bond."""

import asyncio
import struct

from bleak import BleakClient
from bleak.exc import BleakError

from host_agent.errors import PairingFailed
from host_agent.link import ble
from host_agent.link.bluez_agent import passkey_agent
from tools.lab.bluez_lane.bed import Bed, until

SIG = "0000{:04x}-0000-1000-8000-00805f9b34fb"
TEMPERATURE, TEMPERATURE_TYPE, OXIMETER, LEVEL = (SIG.format(n) for n in (0x2A1C, 0x2A1D, 0x2A5F, 0x2A19))
_LISTEN_S = 5.0
_VALUES_S = 60.0
_GONE_S = 20.0
_BOND_WRITTEN_S = 3.0
_ARMPIT = 1


def read_float(data: bytes) -> float:
    """IEEE 11073-20601 FLOAT: a signed 8-bit exponent of ten over a signed 24-bit mantissa."""
    mantissa = int.from_bytes(data[:3], "little", signed=True)
    return float(mantissa * 10.0 ** struct.unpack("<b", data[3:4])[0])


def read_sfloat(data: bytes) -> float:
    """IEEE 11073-20601 SFLOAT: a signed 4-bit exponent over a signed 12-bit mantissa."""
    (word,) = struct.unpack("<H", data)
    mantissa, exponent = word & 0xFFF, word >> 12
    signed = mantissa - 0x1000 if mantissa & 0x800 else mantissa
    return float(signed * 10.0 ** (exponent - 16 if exponent & 8 else exponent))


async def stranger_gets_nothing(bed: Bed) -> str:
    """No agent, no open window: neither a value nor a notification, and the custodian is not disturbed."""
    heard: list[bytes] = []
    async with bed.any_app() as client:
        for uuid in (TEMPERATURE, OXIMETER, LEVEL):
            await client.start_notify(uuid, lambda _characteristic, data: heard.append(bytes(data)))
        await asyncio.sleep(_LISTEN_S)
        assert not heard, f"{len(heard)} notifications"
        # the level is refused in a way that makes nobody pair; the other is not, and Linux tries it by itself
        said = [await _refusal(client, uuid) for uuid in (LEVEL, TEMPERATURE_TYPE)]
    assert not heard, f"{len(heard)} notifications"
    async with bed.session() as session:
        assert (await bed.status(session)).head_seq > 0
    return "; ".join(said)


async def _refusal(client: BleakClient, uuid: str) -> str:
    try:
        value = await client.read_gatt_char(uuid)
    except BleakError as error:
        return str(error.args[-1])
    raise AssertionError(f"was given {uuid}: {value!r}")


async def wrong_passkey_refused(bed: Bed) -> str:
    """In the open window: refused with words that say what to do, and the connection is ended."""
    await bed.open_window()
    right = await bed.passkey()

    async def mistaken(_device: str) -> int:
        return (right + 1) % 1_000_000

    async with passkey_agent(mistaken) as agent:
        transport = await bed.transport()
        try:
            await ble.pair(transport, right)
        except PairingFailed as error:
            assert "button" in error.advice, error.advice
            said = str(error)
        else:
            raise AssertionError("paired with a wrong passkey")
        assert agent.asked == 1, f"asked {agent.asked} times"
        await until(lambda: not transport.client.is_connected, _GONE_S, "sent away")
    return said


async def paired_reads_what_is_measured(bed: Bed) -> str:
    """The right passkey; then temperature, oximetry and battery by the formats of the Bluetooth SIG alone."""
    await bed.open_window()
    right = await bed.passkey()

    async def typed(_device: str) -> int:
        return right

    temperatures: list[bytes] = []
    oximetry: list[bytes] = []
    async with passkey_agent(typed) as agent:
        transport = await bed.transport()
        await ble.pair(transport, right)
        assert agent.asked == 1, f"asked {agent.asked} times"
        client = transport.client
        await client.start_notify(TEMPERATURE, lambda _characteristic, data: temperatures.append(bytes(data)))
        await client.start_notify(OXIMETER, lambda _characteristic, data: oximetry.append(bytes(data)))
        await until(lambda: len(temperatures) > 1 and any(map(_is_measured, oximetry)), _VALUES_S, "values")
        assert await client.read_gatt_char(TEMPERATURE_TYPE) == bytes([_ARMPIT])
        (level,) = await client.read_gatt_char(LEVEL)
        truth = (await bed.control(cmd="state"))["truth"]
        await asyncio.sleep(_BOND_WRITTEN_S)
        transport.close()
        await transport.closed()
    temperature = read_float(temperatures[-1][1:5])
    last = next(data for data in reversed(oximetry) if _is_measured(data))
    saturation, pulse = read_sfloat(last[1:3]), read_sfloat(last[3:5])
    assert temperatures[-1][0] & 1 == 0, "degrees Celsius"
    assert abs(temperature - truth["temp_c"]) < 0.3, (temperature, truth)
    assert abs(saturation - truth["spo2_pct"]) < 2, (saturation, truth)
    assert abs(pulse - truth["hr_bpm"]) < 6, (pulse, truth)
    assert 0 < level <= 100, level
    return f"{temperature:.2f} °C, {saturation:.0f} %, {pulse:.0f}/min, battery {level} %"


def _is_measured(data: bytes) -> bool:
    (status,) = struct.unpack_from("<H", data, 5)
    return not status & 1 << 13  # "measurement unavailable"


async def bond_outlives_a_power_cut(bed: Bed) -> str:
    """The laptop comes back to a wearable that was switched off, reads, and is not asked again."""
    await bed.control(cmd="cut", off_ms=100)

    async def refused(_device: str) -> None:
        return None

    async with passkey_agent(refused) as agent, bed.any_app() as client:
        (level,) = await client.read_gatt_char(LEVEL)
        assert agent.asked == 0, "asked for the passkey again"
    return f"battery {level} %"


async def forgotten_on_the_laptop_pairs_again(bed: Bed) -> str:
    """ "Forget this device" on the desktop: sessions go on, values are refused, and the window mends it."""
    await bed.forget()
    await bed.open_window()
    right = await bed.passkey()

    async def typed(_device: str) -> int:
        return right

    async with passkey_agent(typed) as agent:
        transport = await bed.transport()
        try:
            client = transport.client
            await _refusal(client, LEVEL)
            assert agent.asked == 0, "paired by itself"
            await ble.pair(transport, right)
            (level,) = await client.read_gatt_char(LEVEL)
            assert agent.asked == 1, f"asked {agent.asked} times"
        finally:
            transport.close()
            await transport.closed()
    return f"battery {level} %"
