"""The engine against a wearable made of the firmware's own session, journal and pump."""

import asyncio
import random
from typing import Any

import pytest
from crs_core import codes
from crs_core.journal import block_writer, record_types
from crs_core.wire import message as wire

from host_agent.clock import RealClock
from host_agent.errors import SessionClosed, TransportLost
from host_agent.store.host_alarms import open_alarms
from host_agent.sync import reception
from host_agent.sync.new_journal import bind
from tests.host.sync.conftest import alarms_of, held, on_flash, until
from tools.rig.protocol_wearable import READER, FakeDevice, Pipe, host_key

TIME_MARK = record_types.TimeMark(1_800_000_000_000, 500, 0x11)


async def test_everything_on_flash_comes_into_the_store_and_is_then_acknowledged(store, device, session):
    for _ in range(10):
        device.read_sensors(12)
        device.event(TIME_MARK)
    async with session(device, synced=True) as (engine, _ears):
        assert engine.journal.cursor == device.journal.head_seq == 130
        await until(lambda: device.journal.acked_seq == 130, "acknowledged")
        assert device.pump.in_flight == 0, "every message is counted back, or the window would fill up"
    rows = held(store)
    assert [row[3] for row in rows["blocks"]] == on_flash(device)
    assert [row[1] for row in rows["readings"]] + [row[1] for row in rows["events"]] and len(
        rows["readings"]
    ) == 120
    assert len(rows["events"]) == 10 and not rows["gaps"]
    assert store.read_now(lambda tx: tx.execute("SELECT count(*) FROM time_marks").fetchone()[0]) >= 10


async def test_half_a_window_of_readings_waits_for_nothing(
    store, device, session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "LINGER_S", 30.0)
    for _ in range(200):  # 13 messages: more than a window, so nothing goes on without a commit
        device.read_sensors(12)
    async with session(device, synced=True) as (engine, _ears):
        assert engine.journal.cursor == device.journal.head_seq == 2400


async def test_new_events_arrive_while_the_session_is_open(store, device, session) -> None:
    device.read_sensors(12)
    async with session(device, synced=True) as (_engine, _ears):
        device.event(record_types.Button(2))
        await until(lambda: held(store)["events"], "event stored")
        await until(lambda: device.journal.acked_seq == 13, "acknowledged")


async def test_live_and_doorbell_reach_the_listener_and_never_the_store(store, device, session) -> None:
    async with session(device, synced=True) as (_, ears):
        await device.say(wire.Live(5, 3850, 960, 90, 100, 1, 3, 1, 4, [(1, 2)]))
        await device.say(wire.Alarm(0, 5, [(1, 2)]))
        await until(lambda: ears.doorbells, "doorbell")
    assert ears.lives[0].temp_cc == 3850 and ears.doorbells[0].seq == 0 and not held(store)["blocks"]


async def test_events_overtake_a_backlog_and_the_prefix_stays_true(store, device, session) -> None:
    for _ in range(60):
        device.read_sensors(12)
    last = device.event(record_types.Button(2))
    seen: list[int] = []
    async with session(device) as (engine, ears):
        await until(lambda: ears.committed, "first commit")
        first = ears.committed[0]
        assert [e.seq for e in first.records.events] == [last] and first.coverage.prefix < last
        await asyncio.wait_for(ears.caught_up.wait(), 20)
        seen = [ack.committed_seq for ack in device.acks]
        assert engine.journal.cursor == last
    assert seen == sorted(seen) and len(held(store)["readings"]) == 720


async def test_a_second_session_reads_on_and_doubles_nothing(store, device, session) -> None:
    device.read_sensors(12)
    async with session(device, synced=True):
        pass
    device.read_sensors(12)
    async with session(device, synced=True) as (_, ears):
        # the last known block is compared once more, nothing older
        assert device.reads[-1].seq == 1 and sum(c.duplicates for c in ears.committed) == 1
    device.read_sensors(12)
    async with session(device, synced=True) as (_, ears):
        assert device.reads[-1].seq == 13
    assert [row[1] for row in held(store)["readings"]] == list(range(1, 37)) and not alarms_of(store)


async def test_nothing_is_acknowledged_before_its_commit(store, device, session) -> None:
    order: list[str] = []
    original = store._transact

    def spy(fn: Any) -> Any:
        result = original(fn)
        if len(held_now := store._conn.execute("SELECT first_seq FROM blocks").fetchall()):
            order.append(f"commit {len(held_now)}")
        return result

    store._transact = spy
    device.read_sensors(12)
    pipe = Pipe()
    async with session(device, pipe, synced=True) as (_, _ears):
        await until(lambda: device.acks, "ack")
    assert order and device.acks[0].committed_seq == 12


async def test_dropped_ranges_come_as_gaps_with_their_reason(store, tmp_path, session) -> None:
    device = FakeDevice(tmp_path / "small")
    device.journal.budget_bytes = 24_000
    for _ in range(900):
        device.read_sensors(12)
    assert device.journal.counters["readings_segments_dropped"] > 0
    async with session(device, synced=True) as (engine, _ears):
        assert engine.journal.cursor == device.journal.head_seq
    gap = held(store)["gaps"][0]
    assert gap[1] == 1
    assert gap[3] == 1  # dropped for room


async def test_unknown_codec_is_kept_raw_acknowledged_and_marked(store, device, session) -> None:
    device.read_sensors(12)
    journal = device.journal
    raw = block_writer.seal(
        journal.journal_id, 1, 7, 0, 3, 1, journal.head_seq + 1, device.now_ms, b"\x01\x02\x03"
    )
    journal._write(journal._r, 3, lambda first: raw)
    device.event(kind=200, payload=b"from the future")
    async with session(device, synced=True) as (engine, _ears):
        assert engine.journal.cursor == 16
        await until(lambda: device.journal.acked_seq == 16, "acknowledged")
    rows = store.read_now(
        lambda tx: tx.execute("SELECT codec, understood, raw FROM blocks ORDER BY first_seq").fetchall()
    )
    assert rows[1] == (7, 0, raw)
    assert store.read_now(lambda tx: tx.execute("SELECT understood FROM events").fetchone()) == (0,)
    assert store.read_now(
        lambda tx: tx.execute("SELECT value FROM counters WHERE name = 'not_understood'").fetchone()
    ) == (2,)


# --- bad links ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
async def test_a_link_that_loses_doubles_spoils_and_adds_ends_with_the_same_store(
    store, device, session, seed, monkeypatch
) -> None:
    """After the handshake every frame to the host may be lost, doubled, cut, flipped, or come with garbage."""
    rng = random.Random(seed)
    for i in range(60):
        device.read_sensors(12)
        if i % 10 == 0:
            device.event(TIME_MARK)
    started = False

    def spoil(data: bytes) -> list[bytes]:
        if not started:
            return [data]
        dice = rng.randrange(12)
        if dice == 0:
            return []
        if dice == 1:
            return [data, data]
        if dice == 2:
            return [data[: rng.randrange(len(data))]]
        if dice == 3:
            at = rng.randrange(len(data))
            return [data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]]
        if dice == 4:
            return [rng.randbytes(rng.randrange(1, 400)).replace(b">>>", b"..."), data]
        return [data[i : i + 7] for i in range(0, len(data), 7)] if dice == 5 else [data]

    pipe = Pipe(to_host=spoil)
    monkeypatch.setattr("host_agent.sync.reception.REREAD_S", 0.3)
    monkeypatch.setattr("host_agent.sync.engine._ASK_DEADLINE_S", 0.3)
    async with session(device, pipe, heartbeat_s=0.1) as (engine, _ears):
        started = True

        def is_done() -> bool:
            if engine.running.done():
                engine.running.result()
            return engine.is_caught_up and engine.journal.cursor == device.journal.head_seq

        await until(is_done, "all here", 30)
    assert [row[3] for row in held(store)["blocks"]] == on_flash(device) and not alarms_of(store)


async def test_a_pulled_cable_ends_the_session_and_the_next_goes_on(store, device, session) -> None:
    for _ in range(30):
        device.read_sensors(12)
    pipe = Pipe()
    async with session(device, pipe) as (engine, ears):
        await until(lambda: ears.committed, "first commit")
        pipe.lose()
        with pytest.raises(TransportLost):
            await asyncio.wait_for(asyncio.shield(engine.running), 5)
    async with session(device, synced=True):
        pass
    assert [row[3] for row in held(store)["blocks"]] == on_flash(device)


async def test_a_silent_wearable_is_lost_after_three_heartbeats(store, device, session, monkeypatch) -> None:
    monkeypatch.setattr("host_agent.sync.engine.SILENCE_S", 0.2)
    async with session(device, heartbeat_s=0.05, synced=True) as (engine, _ears):
        device.deaf = True
        with pytest.raises(TransportLost, match="nothing heard"):
            await asyncio.wait_for(asyncio.shield(engine.running), 5)


async def test_a_restart_of_the_wearable_ends_the_session_at_once(store, device, session, tmp_path) -> None:
    pipe = Pipe()
    async with session(device, pipe, heartbeat_s=0.05, synced=True) as (engine, _ears):
        device.session.link_lost()  # the keys are gone, as after a reset
        with pytest.raises(SessionClosed, match="knows no session"):
            await asyncio.wait_for(asyncio.shield(engine.running), 5)


async def test_a_reader_reads_all_and_frees_nothing(store, device, session) -> None:
    device.read_sensors(12)
    async with session(device, key=host_key(READER), synced=True) as (_engine, _ears):
        await until(lambda: device.acks, "ack")
    assert len(held(store)["readings"]) == 12 and device.journal.acked_seq == 0


async def test_bind_over_the_link_makes_the_journal_and_the_session_begins_anew(store, device, session):
    async with session(device, synced=True) as (engine, _ears):
        await bind(engine.client, wire.BIND_START, b"bindings", "age_years=54\n" * 20)
        with pytest.raises(SessionClosed):
            await asyncio.wait_for(asyncio.shield(engine.running), 5)
    assert device.journal.binding_id == b"bindings"


async def test_a_wearable_without_a_journal_is_heard_but_not_read(store, device, session) -> None:
    device.session.journal_id = bytes(8)
    async with session(device) as (engine, ears):
        await until(lambda: ears.opened, "open")
        await device.say(wire.Alarm(0, 5, [(10, 3)]))
        await until(lambda: ears.doorbells, "doorbell")
        assert ears.opened[0][1] is None and not device.reads and engine.journal is None
    found = {alarm.alarm: alarm for alarm in store.read_now(open_alarms)}
    assert found[codes.JOURNAL_FAULT].priority == codes.PRIORITY_HIGH
    device.session.journal_id = device.journal.journal_id
    async with session(device, synced=True):
        pass
    assert not alarms_of(store)


async def test_blocks_of_another_journal_or_torn_ones_are_left_out_and_counted(store, device, session):
    device.read_sensors(12)
    good = on_flash(device)[0]
    async with session(device, synced=True) as (engine, _ears):
        alien = block_writer.encode_events(b"elsewher", 1, 13, [(5, 7, b"\x02")])
        await device.say(wire.Block(alien))
        await device.say(wire.Block(good[:-1]))
        await device.say(wire.Block(good + b"\x00"))
        await device.say(wire.Gap(9, 3, 1))
        await until(lambda: engine.counters.get("gap_malformed"), "counted")
        assert engine.counters["block_bad_crc"] == 1 and engine.counters["block_malformed"] == 2
        assert engine.journal.cursor == 12
    assert len(held(store)["blocks"]) == 1


async def test_a_gap_covers_only_what_is_not_held(store, device, session) -> None:
    device.read_sensors(12)
    async with session(device, synced=True) as (engine, _ears):
        late = block_writer.encode_events(device.journal.journal_id, 1, 20, [(device.now_ms, 7, b"\x02")])
        await device.say(wire.Block(late))
        await device.say(wire.Gap(5, 25, 3))
        await until(lambda: engine.journal.cursor == 25, "covered")
    assert [row[1:] for row in held(store)["gaps"]] == [(13, 19, 3), (21, 25, 3)]


@pytest.mark.parametrize("record_first", [True, False])
async def test_a_time_is_that_comes_late_widens_the_mark_that_was_journaled(
    store, device, session, record_first
) -> None:
    device.read_only_answers[wire.Time] = wire.Pong(0)
    sent_ms = RealClock().utc_ms() - 9000
    device.now_ms = 4999

    def bounds() -> list[Any]:
        return store.read_now(  # type: ignore[no-any-return]
            lambda tx: tx.execute("SELECT utc_ms, bound_ms FROM time_marks WHERE t_ms = 5000").fetchall()
        )

    async with session(device, synced=True) as (_, _ears):
        if record_first:
            device.event(record_types.TimeMark(sent_ms, 3000, 1))
            await until(lambda: bounds() == [(sent_ms, 3000)], "the wearable's own mark")
        await device.say(wire.TimeIs(sent_ms, 1, 5000))
        await until(lambda: bounds() and bounds()[0][1] > 3000, "the wider one")
        if not record_first:
            device.event(record_types.TimeMark(sent_ms, 3000, 1))
            await until(lambda: held(store)["events"], "the record")
    assert len(bounds()) == 1
    utc_ms, bound_ms = bounds()[0]
    assert utc_ms == sent_ms and 10_000 <= bound_ms < 20_000
