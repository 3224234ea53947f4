"""A store that fails: nothing acknowledged, nothing half done, everything caught up afterwards."""

import asyncio
from typing import Any

import pytest
from crs_core import codes
from crs_core.journal import record_types
from crs_core.wire import message as wire

from host_agent.errors import StoreReadOnly
from host_agent.store.devices import ensure_device
from tests.host.sync.conftest import held, on_flash, until
from tools.rig.protocol_wearable import DEVICE_ID


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
        self.readings += new.readings
        self.events += len(new.events)

    def host_alarm(self, tx: Any, alarm: Any) -> None:
        pass


async def test_unbound_records_are_stored_but_never_derived_from(store, device, session) -> None:
    derive = Derived()
    device.read_sensors(12)
    device.event(record_types.Button(2))
    async with session(device, derive=derive, synced=True):
        pass
    assert len(held(store)["readings"]) == 12 and (derive.readings, derive.events) == (0, 0)


async def test_what_is_derived_commits_with_the_records_or_not_at_all(store, device, session, monkeypatch):
    monkeypatch.setattr("host_agent.sync.reception._STORE_RETRY_FIRST_S", 0.05)
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
        assert not held(store)["readings"] and not device.acks
        await asyncio.wait_for(ears.caught_up.wait(), 10)
        await until(lambda: device.journal.acked_seq == 12, "acknowledged")
    assert derive.readings == 12 and ears.backs == 1


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
    monkeypatch.setattr("host_agent.sync.reception._STORE_RETRY_FIRST_S", 0.05)
    monkeypatch.setattr("host_agent.sync.reception._STORE_RETRY_MAX_S", 0.05)
    async with session(device, synced=True) as (engine, ears):
        ears.caught_up.clear()
        limit_pages(store, 0)
        for _ in range(200):
            device.read_sensors(12)
        await until(lambda: len(ears.unstored) >= 3, "failure told again and again")
        items, error = ears.unstored[0]
        assert error.code == "store_full" and items
        acked = device.journal.acked_seq
        assert len(engine._reception._pending) <= 8, "the window bounds what waits in memory"
        # the agent goes on hearing: live values, the doorbell, a session that stays open
        await device.say(wire.Alarm(0, 5, [(3, 3)]))
        await until(lambda: ears.doorbells, "doorbell while the disk is full")
        assert device.journal.acked_seq == acked < device.journal.head_seq and not engine.running.done()
        limit_pages(store, None)
        await until(lambda: engine.is_caught_up and device.journal.acked_seq == 2400, "caught up")
        assert ears.backs == 1
    assert [row[3] for row in held(store)["blocks"]] == on_flash(device)
    trace = store.read_now(
        lambda tx: tx.execute("SELECT alarm, ended_utc_ms IS NOT NULL FROM host_alarms").fetchall()
    )
    assert trace == [(codes.STORE_FAULT, 1)]


async def test_a_database_that_another_program_locks_is_waited_for(store, device, session, monkeypatch):
    import sqlite3

    monkeypatch.setattr("host_agent.sync.reception._STORE_RETRY_FIRST_S", 0.05)
    store._writer.submit(lambda: store._conn.execute("PRAGMA busy_timeout = 20").fetchall()).result()
    async with session(device, synced=True) as (engine, ears):
        other = sqlite3.connect(store.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        device.event(record_types.Button(2))
        await until(lambda: ears.unstored, "told")
        assert ears.unstored[0][1].code == "store_locked" and device.journal.acked_seq == 0
        other.execute("ROLLBACK")
        other.close()
        await until(lambda: device.journal.acked_seq == 1, "acknowledged")
        assert engine.journal.cursor == 1


async def test_a_store_that_fails_at_the_start_ends_the_session_with_its_reason(store, device, session):
    store._writer.submit(lambda: store._conn.execute("PRAGMA query_only = ON").fetchall()).result()
    async with session(device) as (engine, _):
        with pytest.raises(StoreReadOnly):
            await asyncio.wait_for(asyncio.shield(engine.running), 5)


def refuse_writes(store: Any, is_refusing: bool) -> None:
    state = "ON" if is_refusing else "OFF"
    store._writer.submit(lambda: store._conn.execute(f"PRAGMA query_only = {state}").fetchall()).result()


async def test_a_session_that_begins_while_the_store_fails_still_hears_of_alarms(
    store, device, session, monkeypatch
) -> None:
    monkeypatch.setattr("host_agent.sync.reception._STORE_RETRY_FIRST_S", 0.05)
    device.read_sensors(12)
    async with session(device, synced=True) as (_, ears):
        await until(lambda: device.journal.acked_seq == 12, "acknowledged")
    refuse_writes(store, True)
    async with session(device) as (engine, ears):
        await until(lambda: ears.opened, "in session")
        assert ears.unstored[0][0] == []
        device.event(record_types.Button(2))
        await until(lambda: any(len(items) for items, _ in ears.unstored), "the event, from memory")
        assert device.journal.acked_seq == 12
        refuse_writes(store, False)
        await until(lambda: device.journal.acked_seq == 13, "acknowledged")
        assert ears.backs == 1 and not engine.running.done()
    assert [row[3] for row in held(store)["blocks"]] == on_flash(device)


async def test_an_older_image_is_not_taken_up_unchecked_while_the_store_fails(store, device, session) -> None:
    async with session(device, synced=True):
        pass
    store.write_now(lambda tx: tx.execute("UPDATE devices SET max_boot = 9"))
    refuse_writes(store, True)
    async with session(device) as (engine, _):
        with pytest.raises(StoreReadOnly):
            await asyncio.wait_for(asyncio.shield(engine.running), 5)
