"""What was lost on the way is asked for again: READ_FROM the first sequence that is missing."""

import asyncio

from crs_core.journal import record_types
from crs_core.wire import message as wire

from tests.host.sync.conftest import held, on_flash, until
from tools.rig.protocol_wearable import Pipe


async def test_a_lost_message_is_asked_for_again_although_newer_ones_keep_coming(
    store, device, session, monkeypatch
) -> None:
    """A wearable that writes more often than the host would wait must not keep it from asking."""
    monkeypatch.setattr("host_agent.sync.reception.REREAD_S", 0.5)
    device.read_sensors(12)
    lost: list[bytes] = []
    losing = [False]

    def lose_one(data: bytes) -> list[bytes]:
        if losing[0] and len(data) > 40 and not lost:
            lost.append(data)
            return []
        return [data]

    async with session(device, Pipe(to_host=lose_one), heartbeat_s=0.05, synced=True) as (engine, _ears):
        losing[0] = True
        device.event(record_types.Button(2))
        await until(lambda: lost, "the loss")
        for _ in range(100):  # one each 50 ms: for ten times as long as the host waits
            device.event(record_types.Button(2))
            await asyncio.sleep(0.05)
            if engine.counters.get("read_again"):
                break
        else:
            raise AssertionError("never asked again while newer events came")
        await until(lambda: engine.journal.cursor == device.journal.head_seq, "all here")
    assert [row[3] for row in held(store)["blocks"]] == on_flash(device)


async def test_a_message_lost_at_the_end_of_a_backlog_is_asked_for_again(store, device, session, monkeypatch):
    monkeypatch.setattr("host_agent.sync.reception.REREAD_S", 0.2)
    for _ in range(3):
        device.read_sensors(12)
    lost: list[bytes] = []

    def lose_the_block(data: bytes) -> list[bytes]:
        if len(data) > 100 and not lost:
            lost.append(data)
            return []
        return [data]

    async with session(device, Pipe(to_host=lose_the_block), heartbeat_s=0.05, synced=True) as (
        engine,
        _ears,
    ):
        assert engine.counters["read_again"] >= 1
    assert lost and [row[3] for row in held(store)["blocks"]] == on_flash(device)


async def test_a_burst_that_takes_a_block_and_the_caught_up_after_it_loses_nothing_for_long(
    store, device, session, monkeypatch
) -> None:
    """The wearable believes them delivered and says nothing more about them by itself."""
    monkeypatch.setattr("host_agent.sync.reception.REREAD_S", 0.1)
    device.read_sensors(12)
    burst: list[bytes] = []
    noisy = [False]

    def lose_two(data: bytes) -> list[bytes]:
        if noisy[0] and len(burst) < 2:
            burst.append(data)
            return []
        return [data]

    async with session(device, Pipe(to_host=lose_two), heartbeat_s=0.05, synced=True) as (engine, _ears):
        await until(lambda: device.acks, "ack")
        noisy[0] = True
        device.event(kind=7, payload=b"\x02")
        await until(lambda: len(burst) == 2, "the burst")
        await until(lambda: engine.journal.cursor == 13, "the event all the same")
    assert [row[3] for row in held(store)["blocks"]] == on_flash(device) and len(held(store)["events"]) == 1


async def test_a_doorbell_whose_record_does_not_come_makes_the_host_ask(store, device, session, monkeypatch):
    monkeypatch.setattr("host_agent.sync.reception.REREAD_S", 0.1)
    device.read_sensors(12)
    async with session(device, heartbeat_s=0.05, synced=True) as (engine, _ears):
        asked = len(device.reads)
        await device.say(wire.Alarm(12, 5, [(3, 3)]))
        await asyncio.sleep(0.4)
        assert len(device.reads) == asked, "that record is here"
        await device.say(wire.Alarm(13, 5, [(3, 3)]))
        await until(lambda: len(device.reads) > asked, "a new READ_FROM")
        assert engine.journal.cursor == 12
