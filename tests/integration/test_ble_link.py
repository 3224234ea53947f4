"""The radio link through loss, harm and a second link: nothing lost, nothing doubled, always recoverable."""

import asyncio
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest
from crs_core.wire import gatt_uuids as names
from crs_core.wire import message as wire

from host_agent.errors import LinkError, SessionRefused, WearableNotHeard
from host_agent.link.supervisor import LinkState
from host_agent.store.contents import contents
from host_agent.store.db import Tx
from tools.ble_air.link import NotificationHarm
from tools.rig.air_bedside import PROFILES, RADIO, AirBedside, is_caught_up, is_open
from tools.rig.image import CUSTODIAN, READER, SETTINGS
from tools.rig.stored import journal_ids
from tools.rig.waiting import until_async

EACH_SECOND = {**SETTINGS, "reading_interval_s": "1"}


async def read_all(session: Any) -> None:
    """Take what the wearable has, committing nothing."""
    await session.send(wire.ReadFrom(1, 4, 1024))
    received = 0
    while not isinstance(message := await session.next_message(), wire.CaughtUp):
        if isinstance(message, wire.Block):
            received += 1
            await session.send(wire.Ack(0, received))


def held_twice(tx: Tx) -> list[int]:
    """Numbers under which the store holds more than one record."""
    (journal_id,) = journal_ids(tx)
    return contents(tx, journal_id).twice  # type: ignore[union-attr]


async def test_pieces_of_twenty_bytes_carry_it_too(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble", mtu=23) as bedside, bedside.session() as session:
        assert session.transport.fragment_bytes == 20
        answer = await session.ask(wire.Settings(wire.SETTINGS_GET, 0, 1, b""), wire.SettingsIs)
        assert b"site=axilla" in answer.data


@pytest.mark.parametrize("profile", PROFILES)
async def test_random_disconnects_lose_and_double_nothing(tmp_path: Path, profile: str) -> None:
    seed = int(os.environ.get("CW_SEED", random.SystemRandom().randrange(10**6)))
    print(f"CW_SEED={seed}")
    chance = random.Random(seed)
    async with AirBedside.open(tmp_path, profile, settings=EACH_SECOND) as bedside:
        async with bedside.agent() as agent:
            for _ in range(25):
                # from the middle of a handshake to the middle of a drain
                await asyncio.sleep(chance.uniform(0.0, 2.5))
                bedside.cut()
            await until_async(lambda: is_caught_up(agent), 30, "sync after the last cut")
        assert bedside.totals().forks == 0 and bedside.read(held_twice) == []
        await bedside.records_agree(101)


async def test_a_disconnect_at_every_step_of_the_protocol_is_recovered(tmp_path: Path) -> None:
    """Cut after the n-th packet in either direction: through discovery, HELLO, PROOF, the first requests, the drain."""
    async with AirBedside.open(tmp_path, "nimble", settings=EACH_SECOND) as bedside:
        await asyncio.sleep(3)
        carried = cut_at = cuts = 0
        carry = bedside.air.link.send_acl_data

        def counting(*packet: Any) -> None:
            nonlocal carried, cuts
            carried += 1
            carry(*packet)
            if carried == cut_at:
                cuts += 1
                bedside.cut()

        bedside.air.link.send_acl_data = counting  # type: ignore[method-assign]

        async def live_through() -> bool:
            nonlocal carried
            carried = 0
            try:
                async with asyncio.timeout(20), bedside.session() as session:
                    await read_all(session)
                return True
            except LinkError:
                return False

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
        async with bedside.agent() as agent:
            await until_async(lambda: is_caught_up(agent), 20, "sync after all of it")
        await bedside.records_agree(51)


async def test_notifications_lost_doubled_and_late_cost_time_and_nothing_else(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble", settings=EACH_SECOND) as bedside:
        harm = bedside.air.link.harm = NotificationHarm(drop=0.03, double=0.1, delay_s=0.01, seed=5)
        async with bedside.agent() as agent:
            await asyncio.sleep(15)
            bedside.air.link.harm = None
            await until_async(lambda: is_caught_up(agent), 60, "sync once the air is kind again")
            assert harm.dropped > 5 and harm.doubled > 20
        assert bedside.totals().forks == 0
        await bedside.records_agree(101)


async def test_out_of_range_and_back_reconnects_soon(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble") as bedside, bedside.agent() as agent:
        await until_async(lambda: is_caught_up(agent), 20, "sync")
        chip = bedside.air.radios[0].controller
        assert chip is not None
        bedside.air.link.set_range(chip, False)
        await until_async(lambda: not is_open(agent), 5, "the loss is seen")
        assert agent.links.reports[RADIO].reason
        await asyncio.sleep(3)
        bedside.air.link.set_range(chip, True)
        back = time.monotonic()
        await until_async(lambda: is_open(agent), 10, "in session again")
        print(f"in session {time.monotonic() - back:.2f} s after it was heard again")


async def test_a_power_cut_of_the_wearable_is_survived(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble", settings=EACH_SECOND) as bedside:
        async with bedside.agent() as agent:
            await until_async(lambda: is_caught_up(agent), 20, "sync")
            for _ in range(3):
                await bedside.control("cut", off_ms=200)
                await until_async(lambda: not is_open(agent), 10, "the loss is seen")
                await until_async(lambda: is_open(agent) and is_caught_up(agent), 20, "in session again")
        assert bedside.totals().boots >= 4
        await bedside.records_agree(21)


async def test_a_cable_takes_over_and_the_radio_rests_until_it_is_pulled(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble", settings=EACH_SECOND) as bedside:
        cable = tmp_path / "cable"
        async with bedside.agent(str(cable)) as agent:
            await until_async(lambda: is_open(agent), 20, "the radio's session")
            cable.symlink_to(bedside.wearable.port)
            await until_async(lambda: is_open(agent, str(cable)), 20, "the cable's session")
            await until_async(
                lambda: agent.links.reports[RADIO].state == LinkState.STANDBY, 10, "the radio rests"
            )
            assert "serves this wearable" in agent.links.reports[RADIO].reason
            await until_async(lambda: is_caught_up(agent), 20, "sync by cable")
            cable.unlink()
            await agent.links.supervisors[str(cable)].release(60)  # as pulled
            await until_async(lambda: is_open(agent), 20, "the radio serves again")
            await until_async(lambda: is_caught_up(agent), 20, "sync by radio")
        assert bedside.read(held_twice) == []
        await bedside.records_agree(11)


async def test_two_hosts_at_once_each_have_all_and_only_the_custodian_frees(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble", keys=[CUSTODIAN, READER]) as bedside:
        other = AirBedside(tmp_path, bedside.air, bedside.wearable, await bedside.another_adapter(7))
        other.radio._backend = await other.backend()
        async with bedside.session() as custodian, other.session(READER) as reader:
            for session in (custodian, reader):
                await read_all(session)
            await reader.send(wire.Ack(5, 5))
            assert (await bedside.status(custodian)).acked_seq == 0
            await custodian.send(wire.Ack(5, 5))
            assert (await bedside.status(custodian)).acked_seq == 5
            assert (await bedside.status(reader)).acked_seq == 5


async def test_a_wrong_key_gets_no_session_and_a_replayed_one_nothing(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble") as bedside:
        said: list[bytes] = []
        write = bedside.client.write_gatt_char

        async def recording(client: Any, characteristic: Any, data: bytes, response: bool) -> None:
            said.append(bytes(data))
            await write(client, characteristic, data, response)

        bedside.client.write_gatt_char = recording  # type: ignore[method-assign]
        async with bedside.session() as session:
            await bedside.status(session)
        bedside.client.write_gatt_char = write  # type: ignore[method-assign]
        async with bedside.any_app() as stranger:
            heard: list[bytes] = []
            await stranger.start_notify(names.OUT, lambda _, data: heard.append(bytes(data)))
            for fragment in said:
                await stranger.write_gatt_char(names.IN, fragment, response=True)
            await asyncio.sleep(1)
            # the HELLO is answered with another nonce, the PROOF refused; nothing sealed comes back
            assert heard and all(b"CWR" in data or b"CWH" in data or len(data) < 100 for data in heard)

        with pytest.raises(SessionRefused):
            async with bedside.session(CUSTODIAN._replace(key=bytes(32))):
                pass


async def test_who_is_not_there_is_not_heard(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble") as bedside:
        with pytest.raises(WearableNotHeard):
            await bedside.radio.find(b"anotherX", CUSTODIAN.key[::-1], timeout_s=1)
