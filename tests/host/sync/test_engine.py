"""The engine against a wearable made of the firmware's own session, journal and pump."""

import asyncio
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from crs_core import block, reasons, records
from crs_core.wire import message as wire

from host_agent.errors import SessionClosed, StoreReadOnly, TransportLost
from host_agent.store.host_alarms import open_alarms
from host_agent.store.journals import ensure_device, expect_journal
from tests.fakes.fake_device import DEVICE_ID, READER, FakeDevice, Pipe, host_key
from tests.host.sync.conftest import held, on_flash

TIME_MARK = records.TimeMark(1_800_000_000_000, 500, 0x11)


async def until(condition: Any, what: str, deadline_s: float = 10.0) -> None:
    """Wait for something to become true; its name is in the failure."""
    try:
        async with asyncio.timeout(deadline_s):
            while not condition():
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"never: {what}") from None


def alarms_of(store: Any) -> set[int]:
    return {alarm.alarm for alarm in store.read_now(open_alarms)}


async def test_everything_on_flash_comes_into_the_store_and_is_then_acknowledged(
    store, device, session
) -> None:
    for _ in range(10):
        device.read_sensors(12)
        device.event(TIME_MARK)
    async with session(device) as (engine, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
        assert engine.journal.cursor == device.journal.head_seq == 130
        await until(lambda: device.journal.acked_seq == 130, "acknowledged")
    rows = held(store)
    assert [row[3] for row in rows["blocks"]] == on_flash(device)
    assert [row[1] for row in rows["readings"]] + [row[1] for row in rows["events"]] and len(
        rows["readings"]
    ) == 120
    assert len(rows["events"]) == 10
    assert not rows["gaps"]
    assert store.read_now(lambda tx: tx.execute("SELECT count(*) FROM time_marks").fetchone()[0]) >= 10


async def test_new_events_arrive_while_the_session_is_open(store, device, session) -> None:
    device.read_sensors(12)
    async with session(device) as (_engine, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
        device.event(records.Button(2))
        await until(lambda: held(store)["events"], "event stored")
        await until(lambda: device.journal.acked_seq == 13, "acknowledged")


async def test_live_and_doorbell_reach_the_listener_and_never_the_store(store, device, session) -> None:
    async with session(device) as (_, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
        await device.say(wire.Live(5, 3850, 960, 90, 100, 1, 3, 1, 4, [(1, 2)]))
        await device.say(wire.Alarm(0, 5, [(1, 2)]))
        await until(lambda: ears.doorbells, "doorbell")
    assert ears.lives[0].temp_cc == 3850
    assert ears.doorbells[0].seq == 0
    assert not held(store)["blocks"]


async def test_events_overtake_a_backlog_and_the_prefix_stays_true(store, device, session) -> None:
    for _ in range(60):
        device.read_sensors(12)
    last = device.event(records.Button(2))
    seen: list[int] = []
    async with session(device) as (engine, ears):
        await until(lambda: ears.committed, "first commit")
        first = ears.committed[0]
        assert [e.seq for e in first.records.events] == [last]
        assert first.coverage.prefix < last
        await asyncio.wait_for(ears.caught_up.wait(), 20)
        seen = [ack.committed_seq for ack in device.acks]
        assert engine.journal.cursor == last
    assert seen == sorted(seen)
    assert len(held(store)["readings"]) == 720


async def test_a_second_session_reads_on_and_doubles_nothing(store, device, session) -> None:
    device.read_sensors(12)
    async with session(device) as (_, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
    device.read_sensors(12)
    async with session(device) as (_, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
        # the last known block is compared once more, nothing older
        assert device.reads[-1].seq == 1
        assert sum(c.duplicates for c in ears.committed) == 1
    device.read_sensors(12)
    async with session(device) as (_, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
        assert device.reads[-1].seq == 13
    assert [row[1] for row in held(store)["readings"]] == list(range(1, 37))
    assert not alarms_of(store)


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
    async with session(device, pipe) as (_, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
        await until(lambda: device.acks, "ack")
    assert order and device.acks[0].committed_seq == 12


async def test_dropped_ranges_come_as_gaps_with_their_reason(store, tmp_path, session) -> None:
    device = FakeDevice(tmp_path / "small")
    device.journal._budget = 24_000
    for _ in range(400):
        device.read_sensors(12)
    assert device.journal.counters["readings_segments_dropped"] > 0
    async with session(device) as (engine, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 20)
        assert engine.journal.cursor == device.journal.head_seq
    gap = held(store)["gaps"][0]
    assert gap[1] == 1
    assert gap[3] == 1  # dropped for room


async def test_unknown_codec_is_kept_raw_acknowledged_and_marked(store, device, session) -> None:
    device.read_sensors(12)
    journal = device.journal
    raw = block.seal(journal.journal_id, 1, 7, 0, 3, 1, journal.head_seq + 1, device.now_ms, b"\x01\x02\x03")
    journal._write(journal._r, 3, lambda first: raw)
    device.event(kind=200, payload=b"from the future")
    async with session(device) as (engine, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
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
    monkeypatch.setattr("host_agent.sync.engine.REREAD_S", 0.3)
    monkeypatch.setattr("host_agent.sync.engine._ASK_DEADLINE_S", 0.3)
    async with session(device, pipe, heartbeat_s=0.1) as (engine, _ears):
        started = True

        def is_done() -> bool:
            if engine.running.done():
                engine.running.result()
            return engine.is_caught_up and engine.journal.cursor == device.journal.head_seq

        await until(is_done, "all here", 30)
    assert [row[3] for row in held(store)["blocks"]] == on_flash(device)
    assert not alarms_of(store)


async def test_a_pulled_cable_ends_the_session_and_the_next_goes_on(store, device, session) -> None:
    for _ in range(30):
        device.read_sensors(12)
    pipe = Pipe()
    async with session(device, pipe) as (engine, ears):
        await until(lambda: ears.committed, "first commit")
        pipe.lose()
        with pytest.raises(TransportLost):
            await asyncio.wait_for(asyncio.shield(engine.running), 5)
    async with session(device) as (_, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
    assert [row[3] for row in held(store)["blocks"]] == on_flash(device)


async def test_a_silent_wearable_is_lost_after_three_heartbeats(store, device, session, monkeypatch) -> None:
    monkeypatch.setattr("host_agent.sync.engine.SILENCE_S", 0.2)
    async with session(device, heartbeat_s=0.05) as (engine, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
        device.deaf = True
        with pytest.raises(TransportLost, match="nothing heard"):
            await asyncio.wait_for(asyncio.shield(engine.running), 5)


async def test_a_restart_of_the_wearable_ends_the_session_at_once(store, device, session, tmp_path) -> None:
    pipe = Pipe()
    async with session(device, pipe, heartbeat_s=0.05) as (engine, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
        device.session.link_lost()  # the keys are gone, as after a reset
        with pytest.raises(SessionClosed, match="knows no session"):
            await asyncio.wait_for(asyncio.shield(engine.running), 5)


# --- forks, older images, replaced journals -------------------------------------------------------------------------


async def sync_all(session: Any, device: FakeDevice) -> None:
    async with session(device) as (engine, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 20)
        await until(lambda: engine.journal.cursor == device.journal.head_seq, "cursor at the head")


def older_image(device: FakeDevice, where: Path) -> Path:
    device.journal.flush()
    shutil.copytree(device.flash, where)
    return where


async def test_an_older_image_that_wrote_on_is_a_fork_and_both_contents_are_kept(
    store, device, session, tmp_path
) -> None:
    for _ in range(3):
        device.read_sensors(12)
    image = older_image(device, tmp_path / "image")
    device.read_sensors(12, temp_cc=3900)
    device.event(records.Button(2))
    await sync_all(session, device)
    first_story = on_flash(device)
    again = FakeDevice(image, boot=1, seed=9)  # the same boot number, fewer records
    again.now_ms = device.now_ms
    again.read_sensors(12, temp_cc=3650)
    assert again.journal.head_seq < device.journal.head_seq
    await sync_all(session, again)
    assert reasons.FORK in alarms_of(store)
    rows = held(store)
    kept = [row[3] for row in rows["blocks"]]
    assert set(first_story) | set(on_flash(again)) == set(kept)
    assert len(kept) == len(set(kept))
    hows = store.read_now(
        lambda tx: tx.execute("SELECT how, known IS NOT NULL FROM forks ORDER BY id").fetchall()
    )
    assert ("head", 0) in hows
    # the other story goes on in its own branch, readable like any journal
    branch = store.read_now(
        lambda tx: tx.execute(
            "SELECT id, base_seq, cursor FROM journals WHERE is_current = 1 AND branch = 1"
        ).fetchone()
    )
    assert branch is not None
    assert branch[1:] == (36, again.journal.head_seq)
    again.read_sensors(12)
    await sync_all(session, again)
    assert branch[0] == held(store)["readings"][-1][0]


async def test_an_older_image_beyond_the_cursor_is_noticed_by_the_last_block(
    store, device, session, tmp_path
) -> None:
    device.read_sensors(12)
    image = older_image(device, tmp_path / "image")
    device.read_sensors(12)
    await sync_all(session, device)
    again = FakeDevice(image, boot=1, seed=9)
    for _ in range(5):
        again.read_sensors(12, temp_cc=3650)
    await sync_all(session, again)
    assert reasons.FORK in alarms_of(store)
    assert set(on_flash(again)) <= {row[3] for row in held(store)["blocks"]}


async def test_a_boot_number_that_goes_back_is_told_once(store, device, session, tmp_path) -> None:
    device.read_sensors(12)
    device.boot = 7
    await sync_all(session, device)
    assert not alarms_of(store)
    device.boot = 5
    await sync_all(session, device)
    assert alarms_of(store) == {reasons.FORK}
    await sync_all(session, device)
    assert store.read_now(lambda tx: tx.execute("SELECT how FROM forks").fetchall()) == [("boot",)]


async def test_a_replaced_journal_without_a_known_reason_alarms(store, device, session) -> None:
    device.read_sensors(12)
    await sync_all(session, device)
    device.bind(bytes(8))
    device.read_sensors(12)
    await sync_all(session, device)
    assert reasons.JOURNAL_REPLACED in alarms_of(store)
    assert len(held(store)["readings"]) == 24


async def test_a_replaced_journal_that_was_announced_is_no_alarm_and_gets_its_binding(
    store, device, session
) -> None:
    await sync_all(session, device)
    binding_id = b"bindings"

    def announce(tx: Any) -> None:
        row = ensure_device(tx, DEVICE_ID, 1)
        made = tx.execute(
            "INSERT INTO bindings (binding_id, device, state, started_utc_ms) VALUES (?, ?, 'starting', 1)",
            (binding_id, row),
        )
        expect_journal(tx, DEVICE_ID, "patient_start", made.lastrowid, 1)

    store.write_now(announce)
    device.bind(binding_id)
    device.read_sensors(12)
    await sync_all(session, device)
    assert not alarms_of(store)
    assert store.read_now(lambda tx: tx.execute("SELECT binding FROM journals WHERE is_current").fetchone())[
        0
    ]
    # the announcement is used up: the next replacement is not covered by it
    device.bind(bytes(8))
    await sync_all(session, device)
    assert reasons.JOURNAL_REPLACED in alarms_of(store)


class Derived:
    """Counts what the hook was given, and may fail."""

    def __init__(self) -> None:
        self.readings = 0
        self.events = 0
        self.fail_times = 0

    def records(self, tx: Any, journal: Any, new: Any) -> None:
        if self.fail_times:
            self.fail_times -= 1
            tx.execute("INSERT INTO no_such_table VALUES (1)")
        self.readings += len(new.readings)
        self.events += len(new.events)

    def host_alarm(self, tx: Any, alarm: Any) -> None:
        pass


async def test_unbound_records_are_stored_but_never_derived_from(store, device, session) -> None:
    derive = Derived()
    device.read_sensors(12)
    device.event(records.Button(2))
    async with session(device, derive=derive) as (_, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
    assert len(held(store)["readings"]) == 12
    assert (derive.readings, derive.events) == (0, 0)


async def test_what_is_derived_commits_with_the_records_or_not_at_all(
    store, device, session, monkeypatch
) -> None:
    monkeypatch.setattr("host_agent.sync.engine._STORE_RETRY_FIRST_S", 0.05)
    store.write_now(
        lambda tx: tx.execute(
            "INSERT INTO bindings (binding_id, device, state, started_utc_ms) VALUES (?, ?, 'active', 1)",
            (b"bindings", ensure_device(tx, DEVICE_ID, 1)),
        )
    )
    device.bind(b"bindings")
    device.read_sensors(12)
    derive = Derived()
    derive.fail_times = 2
    async with session(device, derive=derive) as (_, ears):
        await until(lambda: ears.unstored, "failure told")
        assert not held(store)["readings"]
        assert not device.acks
        await asyncio.wait_for(ears.caught_up.wait(), 10)
        await until(lambda: device.journal.acked_seq == 12, "acknowledged")
    assert derive.readings == 12
    assert ears.backs == 1


async def test_a_reader_reads_all_and_frees_nothing(store, device, session) -> None:
    device.read_sensors(12)
    async with session(device, key=host_key(READER)) as (_engine, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
        await until(lambda: device.acks, "ack")
    assert len(held(store)["readings"]) == 12
    assert device.journal.acked_seq == 0


async def test_bind_over_the_link_makes_the_journal_and_the_session_begins_anew(
    store, device, session
) -> None:
    async with session(device) as (engine, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
        await engine.client.bind(wire.BIND_START, b"bindings", "age_years=54\n" * 20)
        with pytest.raises(SessionClosed):
            await asyncio.wait_for(asyncio.shield(engine.running), 5)
    assert device.journal.binding_id == b"bindings"


# --- a store that fails ---------------------------------------------------------------------------------------------


def limit_pages(store: Any, extra: int | None) -> None:
    """A full disk as SQLite sees it: at most `extra` pages more than now; None: room again."""

    def limit() -> None:
        pages = store._conn.execute("PRAGMA page_count").fetchone()[0]
        store._conn.execute(
            f"PRAGMA max_page_count = {1 << 30 if extra is None else pages + extra}"
        ).fetchall()

    store._writer.submit(limit).result()


async def test_a_full_disk_acknowledges_nothing_tells_it_and_catches_up_with_room(
    store, device, session, monkeypatch
) -> None:
    monkeypatch.setattr("host_agent.sync.engine._STORE_RETRY_FIRST_S", 0.05)
    monkeypatch.setattr("host_agent.sync.engine._STORE_RETRY_MAX_S", 0.05)
    async with session(device) as (engine, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
        ears.caught_up.clear()
        limit_pages(store, 0)
        for _ in range(200):
            device.read_sensors(12)
        await until(lambda: len(ears.unstored) >= 3, "failure told again and again")
        items, error = ears.unstored[0]
        assert error.code == "store_full"
        assert items
        acked = device.journal.acked_seq
        assert len(engine._pending) <= 8, "the window bounds what waits in memory"
        # the agent goes on hearing: live values, the doorbell, a session that stays open
        await device.say(wire.Alarm(0, 5, [(3, 3)]))
        await until(lambda: ears.doorbells, "doorbell while the disk is full")
        assert device.journal.acked_seq == acked < device.journal.head_seq
        assert not engine.running.done()
        limit_pages(store, None)
        await until(lambda: engine.is_caught_up and device.journal.acked_seq == 2400, "caught up")
        assert ears.backs == 1
    assert [row[3] for row in held(store)["blocks"]] == on_flash(device)
    trace = store.read_now(
        lambda tx: tx.execute("SELECT alarm, ended_utc_ms IS NOT NULL FROM host_alarms").fetchall()
    )
    assert trace == [(reasons.STORE_FAULT, 1)]


async def test_a_database_that_another_program_locks_is_waited_for(
    store, device, session, monkeypatch
) -> None:
    import sqlite3

    monkeypatch.setattr("host_agent.sync.engine._STORE_RETRY_FIRST_S", 0.05)
    store._writer.submit(lambda: store._conn.execute("PRAGMA busy_timeout = 20").fetchall()).result()
    async with session(device) as (engine, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
        other = sqlite3.connect(store.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        device.event(records.Button(2))
        await until(lambda: ears.unstored, "told")
        assert ears.unstored[0][1].code == "store_locked"
        assert device.journal.acked_seq == 0
        other.execute("ROLLBACK")
        other.close()
        await until(lambda: device.journal.acked_seq == 1, "acknowledged")
        assert engine.journal.cursor == 1


async def test_a_store_that_fails_at_the_start_ends_the_session_with_its_reason(
    store, device, session
) -> None:
    store._writer.submit(lambda: store._conn.execute("PRAGMA query_only = ON").fetchall()).result()
    async with session(device) as (engine, _):
        with pytest.raises(StoreReadOnly):
            await asyncio.wait_for(asyncio.shield(engine.running), 5)


async def test_a_wearable_without_a_journal_is_heard_but_not_read(store, device, session) -> None:
    device.session.journal_id = bytes(8)
    async with session(device) as (engine, ears):
        await until(lambda: ears.opened, "open")
        await device.say(wire.Alarm(0, 5, [(10, 3)]))
        await until(lambda: ears.doorbells, "doorbell")
        assert ears.opened[0][1] is None
        assert not device.reads
        assert engine.journal is None


async def test_blocks_of_another_journal_or_torn_ones_are_left_out_and_counted(
    store, device, session
) -> None:
    device.read_sensors(12)
    good = on_flash(device)[0]
    async with session(device) as (engine, ears):
        await asyncio.wait_for(ears.caught_up.wait(), 10)
        alien = block.encode_events(b"elsewher", 1, 13, [(5, 7, b"\x02")])
        await device.say(wire.Block(alien))
        await device.say(wire.Block(good[:-1]))
        await device.say(wire.Block(good + b"\x00"))
        await device.say(wire.Gap(9, 3, 1))
        await until(lambda: engine.counters.get("gap_malformed"), "counted")
        assert engine.counters["block_bad_crc"] == 1
        assert engine.counters["block_malformed"] == 2
        assert engine.journal.cursor == 12
    assert len(held(store)["blocks"]) == 1
