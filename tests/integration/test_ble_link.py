"""The radio link through loss, harm and a second link: nothing lost, nothing doubled, always recoverable."""

import asyncio
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest
from bleak import BleakClient
from crs_core.wire import gatt_uuids as names
from crs_core.wire import message as wire

from host_agent.agent import Agent
from host_agent.errors import LinkError, RadioUnavailable, SessionRefused, WearableNotHeard
from host_agent.link.supervisor import LinkState
from host_agent.sync.links import ble_name
from tools.ble_air.link import NotificationHarm
from tools.rig.air_ward import PROFILES, AirWard, until
from tools.rig.image import CUSTODIAN, DEVICE_ID, READER, SETTINGS
from tools.rig.journal_check import compare

RADIO = ble_name(DEVICE_ID)
EACH_SECOND = {**SETTINGS, "reading_interval_s": "1"}


def caught_up(agent: Agent) -> bool:
    return agent.monitor.view(DEVICE_ID).is_caught_up


def is_open(agent: Agent, name: str = RADIO) -> bool:
    report = agent.links.reports.get(name)
    return report is not None and report.state == LinkState.OPEN


async def read_all(session: Any) -> None:
    """Take what the wearable has, committing nothing."""
    await session.send(wire.ReadFrom(1, 4, 1024))
    received = 0
    while not isinstance(message := await session.next_message(), wire.CaughtUp):
        if isinstance(message, wire.Block):
            received += 1
            await session.send(wire.Ack(0, received))


async def compared(ward: AirWard) -> int:
    """Stop the wearable and hold its flash against the store; how many records agree."""
    await asyncio.to_thread(ward.wearable.kill)
    return compare(ward.wearable.image, ward.folder / "bedside" / "cytowatch.db")


@pytest.mark.parametrize("profile", PROFILES)
async def test_the_agent_syncs_by_radio_alone(tmp_path: Path, profile: str) -> None:
    async with AirWard.open(tmp_path, profile) as ward:
        async with ward.agent() as agent:
            await until(lambda: caught_up(agent), 20, "sync")
            status = agent.monitor.view(DEVICE_ID).status
            assert status.flags & wire.STATUS_SIMULATED
            await until(lambda: ward.stored("SELECT count(*) FROM readings")[0][0] > 20, 30, "readings")
        assert await compared(ward) > 30


async def test_pieces_of_twenty_bytes_carry_it_too(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble", mtu=23) as ward:
        session = await ward.session()
        assert session.transport.fragment_bytes == 20
        answer = await session.ask(wire.Settings(wire.SETTINGS_GET, 0, 1, b""), wire.SettingsIs)
        assert b"site=axilla" in answer.data
        await ward.end(session)


@pytest.mark.parametrize("profile", PROFILES)
async def test_random_disconnects_lose_and_double_nothing(tmp_path: Path, profile: str) -> None:
    seed = int(os.environ.get("CW_SEED", random.SystemRandom().randrange(10**6)))
    print(f"CW_SEED={seed}")
    chance = random.Random(seed)
    async with AirWard.open(tmp_path, profile, settings=EACH_SECOND) as ward:
        async with ward.agent() as agent:
            assert ward.adapter.controller is not None
            for _ in range(25):
                # from the middle of a handshake to the middle of a drain
                await asyncio.sleep(chance.uniform(0.0, 0.6))
                ward.air.link.cut(ward.adapter.controller)
            await until(lambda: caught_up(agent), 30, "sync after the last cut")
        assert ward.stored("SELECT count(*) FROM forks") == [(0,)]
        seqs = [
            row[0]
            for row in ward.stored("SELECT seq FROM readings UNION ALL SELECT seq FROM events ORDER BY 1")
        ]
        assert len(seqs) == len(set(seqs))
        assert await compared(ward) > 100


async def test_a_disconnect_at_every_step_of_the_protocol_is_recovered(tmp_path: Path) -> None:
    """Cut after the n-th packet in either direction: through discovery, HELLO, PROOF, the first requests, the drain."""
    async with AirWard.open(tmp_path, "nimble", settings=EACH_SECOND) as ward:
        assert ward.adapter.controller is not None
        await asyncio.sleep(3)
        carried = cut_at = cuts = 0
        carry = ward.air.link.send_acl_data

        def counting(*packet: Any) -> None:
            nonlocal carried, cuts
            carried += 1
            carry(*packet)
            if carried == cut_at:
                cuts += 1
                ward.air.link.cut(ward.adapter.controller)  # type: ignore[arg-type]

        ward.air.link.send_acl_data = counting  # type: ignore[method-assign]

        async def live_through() -> bool:
            nonlocal carried
            carried, session = 0, None
            try:
                async with asyncio.timeout(20):
                    session = await ward.session()
                    await read_all(session)
                return True
            except LinkError:
                return False
            finally:
                if session is not None:
                    await ward.end(session)

        assert await live_through()
        whole = carried
        assert whole > 30
        tried = range(1, whole, 2)
        ended = 0
        for cut_at in tried:  # noqa: B007 `counting` looks at it
            ended += not await live_through()
        assert cuts == len(tried)
        assert ended > 5, "a cut while connecting is tried again at once, one in session ends it"
        cut_at = 0
        async with ward.agent() as agent:
            await until(lambda: caught_up(agent), 20, "sync after all of it")
        assert await compared(ward) > 50


async def test_notifications_lost_doubled_and_late_cost_time_and_nothing_else(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble", settings=EACH_SECOND) as ward:
        harm = ward.air.link.harm = NotificationHarm(drop=0.03, double=0.1, delay_s=0.01, seed=5)
        async with ward.agent() as agent:
            await asyncio.sleep(15)
            ward.air.link.harm = None
            await until(lambda: caught_up(agent), 60, "sync once the air is kind again")
            assert harm.dropped > 5 and harm.doubled > 20
        assert ward.stored("SELECT count(*) FROM forks") == [(0,)]
        assert await compared(ward) > 100


async def test_out_of_range_and_back_reconnects_soon(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward, ward.agent() as agent:
        await until(lambda: caught_up(agent), 20, "sync")
        chip = ward.air.radios[0].controller
        assert chip is not None
        ward.air.link.set_range(chip, False)
        await until(lambda: not is_open(agent), 5, "the loss is seen")
        assert agent.links.reports[RADIO].reason
        await asyncio.sleep(3)
        ward.air.link.set_range(chip, True)
        back = time.monotonic()
        await until(lambda: is_open(agent), 10, "in session again")
        print(f"in session {time.monotonic() - back:.2f} s after it was heard again")


async def test_a_power_cut_of_the_wearable_is_survived(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble", settings=EACH_SECOND) as ward:
        async with ward.agent() as agent:
            await until(lambda: caught_up(agent), 20, "sync")
            for _ in range(3):
                await ward.control(cmd="cut", off_ms=200)
                await until(lambda: not is_open(agent), 10, "the loss is seen")
                await until(lambda: is_open(agent) and caught_up(agent), 20, "in session again")
        assert ward.stored("SELECT max(boot) FROM events")[0][0] >= 4
        assert await compared(ward) > 20


async def test_a_cable_takes_over_and_the_radio_rests_until_it_is_pulled(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble", settings=EACH_SECOND) as ward:
        cable = tmp_path / "cable"
        async with ward.agent(str(cable)) as agent:
            await until(lambda: is_open(agent), 20, "the radio's session")
            cable.symlink_to(ward.wearable.port)
            await until(lambda: is_open(agent, str(cable)), 20, "the cable's session")
            await until(lambda: agent.links.reports[RADIO].state == LinkState.STANDBY, 10, "the radio rests")
            assert "serves this wearable" in agent.links.reports[RADIO].reason
            await until(lambda: caught_up(agent), 20, "sync by cable")
            cable.unlink()
            await agent.links.supervisors[str(cable)].release(60)  # as pulled
            await until(lambda: is_open(agent), 20, "the radio serves again")
            await until(lambda: caught_up(agent), 20, "sync by radio")
        seqs = ward.stored("SELECT seq FROM readings UNION ALL SELECT seq FROM events")
        assert len(seqs) == len(set(seqs))
        assert await compared(ward) > 10


async def test_an_adapter_that_is_off_is_said_and_used_again_when_it_is_on(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward, ward.agent() as agent:
        await until(lambda: is_open(agent), 20, "in session")
        ward.adapter.is_lost = True
        ward.air.link.cut(ward.adapter.controller)  # type: ignore[arg-type]
        await until(lambda: agent.links.reports[RADIO].code == RadioUnavailable.code, 20, "it is said")
        assert "Switch Bluetooth on" in agent.links.reports[RADIO].advice
        ward.adapter.is_lost = False
        await until(lambda: is_open(agent), 20, "in session again")


async def test_two_hosts_at_once_each_have_all_and_only_the_custodian_frees(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble", keys=[CUSTODIAN, READER]) as ward:
        custodian = await ward.session()
        other = AirWard(ward.folder, ward.air, ward.wearable, await ward.another_adapter(7))
        other.radio._backend = await other.backend()
        reader = await other.session(READER)
        for session in (custodian, reader):
            await read_all(session)
        await reader.send(wire.Ack(5, 5))
        assert (await ward.status(custodian)).acked_seq == 0
        await custodian.send(wire.Ack(5, 5))
        await until(lambda: True, 1)
        assert (await ward.status(reader)).acked_seq == 5
        await other.end(reader)
        await ward.end(custodian)


async def test_a_wrong_key_gets_no_session_and_a_replayed_one_nothing(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward:
        transport = await ward.transport()
        said: list[bytes] = []
        write = transport.client.write_gatt_char

        async def recording(characteristic: Any, data: bytes, response: bool) -> None:
            said.append(bytes(data))
            await write(characteristic, data, response=response)

        transport.client.write_gatt_char = recording
        from host_agent.sync.client import DeviceClient
        from tools.rig.air_ward import device_key

        client = DeviceClient(transport, [device_key(CUSTODIAN)])
        await client.open()
        client.start()
        await ward.status(client)
        await ward.end(client)

        async with BleakClient(await ward.find(), backend=ward.client) as stranger:
            heard: list[bytes] = []
            await stranger.start_notify(names.OUT, lambda _, data: heard.append(bytes(data)))
            for fragment in said:
                await stranger.write_gatt_char(names.IN, fragment, response=True)
            await asyncio.sleep(1)
            # the HELLO is answered with another nonce, the PROOF refused; nothing sealed comes back
            assert heard and all(b"CWR" in data or b"CWH" in data or len(data) < 100 for data in heard)

        with pytest.raises(SessionRefused):
            await ward.session(CUSTODIAN._replace(key=bytes(32)))


async def test_who_is_not_there_is_not_heard(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward:
        with pytest.raises(WearableNotHeard):
            await ward.radio.find(b"anotherX", timeout_s=1)
