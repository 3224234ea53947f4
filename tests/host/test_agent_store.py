"""The whole agent and its store: whatever keeps it from writing, and readings that go as configured."""

import asyncio
import contextlib
import sqlite3

import pytest

from host_agent.store.content_check import check_content
from host_agent.store.db import open_read_only
from tests.host.agent_world import events, query, start_patient
from tests.host.escalation.world import alarm_record
from tests.host.store.stored import left_patient


@contextlib.asynccontextmanager
async def broken_store(agent, how):
    """A store that takes nothing: locked or read-only for real, full or damaged by the word of SQLite."""
    run = asyncio.get_running_loop().run_in_executor
    pragma = {"read_only": "query_only = ON", "locked": "busy_timeout = 20"}.get(how, "busy_timeout = 5000")
    await run(agent.store._writer, agent.store._conn.execute, f"PRAGMA {pragma}")
    other = sqlite3.connect(agent.store.path, isolation_level=None)
    real = agent.store._transact
    code = {"full": sqlite3.SQLITE_FULL, "damaged": sqlite3.SQLITE_CORRUPT}.get(how)

    def failing(fn):
        def fail(tx):
            error = sqlite3.OperationalError("as SQLite says it")
            error.sqlite_errorcode = code
            raise error

        return real(fail)

    if how == "locked":
        other.execute("BEGIN IMMEDIATE")
    elif code is not None:
        agent.store._transact = failing
    try:
        yield
    finally:
        agent.store._transact = real
        other.close()
        await run(agent.store._writer, agent.store._conn.execute, "PRAGMA query_only = OFF")


HEAD = {"rows": 1, "hash": "ab" * 32}


def sign_something(tx):
    tx.execute(
        "INSERT INTO audit (seq, kind, entry_id, entry, signature, hash, stored_utc_ms)"
        " VALUES (1, 'rules', 'x', x'7b7d', zeroblob(64), ?, 1)",
        (bytes.fromhex(HEAD["hash"]),),
    )


@pytest.mark.parametrize(
    "how, told",
    [("full", "the disk is full"), ("read_only", "is read-only"), ("locked", "another program is writing"),
     ("damaged", "is damaged")],
)  # fmt: skip
async def test_whatever_keeps_the_store_from_writing_is_told_alarmed_and_loses_nothing(world, how, told):
    async with world.agent() as agent:
        await start_patient(world)
        await agent.store.write(sign_something)
        acked = world.device.journal.acked_seq
        async with broken_store(agent, how):
            world.device.read_sensors(12)
            world.device.event(alarm_record({}, HYPOXAEMIA=3))
            await world.receiver.wait_for(2)
            assert {event["name"] for event in events(world)} == {"HYPOXAEMIA", "STORE_FAULT"}
            assert [event["audit_head"] for event in events(world)] == [HEAD] * 2
            assert told in (await world.call("status"))["store_error"]
            assert world.device.journal.acked_seq == acked
            before = query(world, "SELECT count(*) FROM readings")
        await world.until(lambda: world.device.journal.acked_seq > acked)
        await world.until(lambda: query(world, "SELECT count(*) FROM readings") == [(before[0][0] + 12,)])
        assert (await world.call("status"))["store_error"] is None
    with contextlib.closing(open_read_only(world.paths.database)) as tx:
        assert check_content(tx).found == 0


async def test_readings_of_patients_who_left_go_at_the_start_as_configured(world):
    left_patient(world.paths.database).close()
    async with world.agent(config_text=world.config_text + "[store]\nkeep_days = 36500\n"):
        await world.in_session()
        assert query(world, "SELECT count(*) FROM readings WHERE journal = 1") == [(120,)]
    async with world.agent(config_text=world.config_text + "[store]\nkeep_days = 30\n"):
        await world.until(lambda: query(world, "SELECT count(*) FROM readings WHERE journal = 1") == [(0,)])
    assert query(world, "SELECT readings, keep_days FROM thinnings") == [(120, 30)]
