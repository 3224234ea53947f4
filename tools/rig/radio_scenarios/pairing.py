"""Scenarios of pairing: what strangers do not get, what the paired read, and what becomes of a bond."""

import asyncio

from bleak import BleakClient
from bleak.exc import BleakError

from host_agent.errors import PairingFailed
from tools.rig import sig_formats as sig
from tools.rig.radio_bedside import RadioBedside
from tools.rig.waiting import until_async

_LISTEN_S = 5.0  # minutes of the wearable's time, dozens of readings
_VALUES_S = 60.0
_GONE_S = 20.0
_BOND_WRITTEN_S = 3.0
_ARMPIT = 1


async def stranger_gets_nothing(bedside: RadioBedside) -> str:
    """No open window: neither a value nor a notification, and the custodian is not disturbed."""
    heard: list[bytes] = []
    async with bedside.any_app() as client:
        for uuid in (sig.TEMPERATURE, sig.OXIMETER, sig.LEVEL):
            await client.start_notify(uuid, lambda _characteristic, data: heard.append(bytes(data)))
        await asyncio.sleep(_LISTEN_S)
        assert not heard, f"{len(heard)} notifications"
        # the level is refused in a way that makes nobody pair; the other is not, and Linux tries it by itself
        said = [await _refusal(client, uuid) for uuid in (sig.LEVEL, sig.TEMPERATURE_TYPE)]
    assert not heard, f"{len(heard)} notifications"
    async with bedside.session() as session:
        assert (await bedside.status(session)).head_seq > 0
    return "; ".join(said)


async def _refusal(client: BleakClient, uuid: str) -> str:
    try:
        value = await client.read_gatt_char(uuid)
    except BleakError as error:
        return str(error.args[-1])
    raise AssertionError(f"was given {uuid}: {value!r}")


async def wrong_passkey_refused(bedside: RadioBedside) -> str:
    """In the open window: refused with words that say what to do, and the connection is ended."""
    await bedside.open_window()
    right = await bedside.passkey()
    async with bedside.connection() as transport:
        try:
            await bedside.type_passkey(transport, (right + 1) % 1_000_000)
        except PairingFailed as error:
            assert "button" in error.advice, error.advice
            said = str(error)
        else:
            raise AssertionError("paired with a wrong passkey")
        await until_async(lambda: not transport.client.is_connected, _GONE_S, "sent away")
    return said


async def paired_reads_what_is_measured(bedside: RadioBedside) -> str:
    """The right passkey; then temperature, oximetry and battery by the formats of the Bluetooth SIG alone."""
    await bedside.open_window()
    right = await bedside.passkey()
    temperatures: list[bytes] = []
    oximetry: list[bytes] = []
    async with bedside.connection() as transport:
        await bedside.type_passkey(transport, right)
        client = transport.client
        assert {service.uuid for service in client.services} >= sig.HEALTH
        await client.start_notify(
            sig.TEMPERATURE, lambda _characteristic, data: temperatures.append(bytes(data))
        )
        await client.start_notify(sig.OXIMETER, lambda _characteristic, data: oximetry.append(bytes(data)))
        await until_async(
            lambda: len(temperatures) > 1 and any(map(sig.is_measured, oximetry)), _VALUES_S, "values"
        )
        assert await client.read_gatt_char(sig.TEMPERATURE_TYPE) == bytes([_ARMPIT])
        assert len(await client.read_gatt_char(sig.FEATURES)) == 7
        (level,) = await client.read_gatt_char(sig.LEVEL)
        truth = (await bedside.control("state"))["truth"]
        await asyncio.sleep(_BOND_WRITTEN_S)
    thermometer = sig.Thermometer(temperatures[-1])
    oximeter = sig.Oximeter(next(data for data in reversed(oximetry) if sig.is_measured(data)))
    assert thermometer.is_celsius and thermometer.kind == _ARMPIT
    assert oximeter.is_demonstration, "it is simulated"
    assert oximeter.is_validated
    assert abs(thermometer.temp_c - truth["temp_c"]) < 0.3, (thermometer.temp_c, truth)
    assert abs(oximeter.spo2_pct - truth["spo2_pct"]) < 2, (oximeter.spo2_pct, truth)
    assert abs(oximeter.pulse_bpm - truth["hr_bpm"]) < 6, (oximeter.pulse_bpm, truth)
    assert 0 < level <= 100, level
    bedside.is_bonded = True
    return f"{thermometer.temp_c:.2f} °C, {oximeter.spo2_pct:.0f} %, {oximeter.pulse_bpm:.0f}/min, battery {level} %"


async def _bond(bedside: RadioBedside) -> None:
    """Pair, unless it was done."""
    if bedside.is_bonded:
        return
    await bedside.open_window()
    right = await bedside.passkey()
    async with bedside.connection() as transport:
        await bedside.type_passkey(transport, right)
        await asyncio.sleep(_BOND_WRITTEN_S)
    bedside.is_bonded = True


async def bond_outlives_a_power_cut(bedside: RadioBedside) -> str:
    """The laptop comes back to a wearable that was switched off, reads, and is not asked again."""
    await _bond(bedside)
    await bedside.control("cut", off_ms=100)
    async with bedside.nobody_types(), bedside.any_app() as client:
        (level,) = await client.read_gatt_char(sig.LEVEL)
    return f"battery {level} %"


async def forgotten_on_the_laptop_pairs_again(bedside: RadioBedside) -> str:
    """After "forget this device" sessions go on, values are refused, and pairing in the window restores them."""
    await _bond(bedside)
    await bedside.forget()
    await bedside.open_window()
    right = await bedside.passkey()
    async with bedside.connection() as transport:
        async with bedside.nobody_types():
            await _refusal(transport.client, sig.LEVEL)
        await bedside.type_passkey(transport, right)
        (level,) = await transport.client.read_gatt_char(sig.LEVEL)
    return f"battery {level} %"
