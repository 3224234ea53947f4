"""An agent that starts while its disk takes nothing watches, alarms from memory, says so, and goes on afterwards."""

import contextlib

import pytest
from crs_core import codes

from host_agent.control.socket import ControlServer
from host_agent.errors import SchemaNewer
from host_agent.escalation.checks.store_opens import StoreOpensCheck
from host_agent.paths import StateFolderReadOnly
from host_agent.store.db import Store
from tests.host.agent_world import events, query, start_patient
from tests.host.escalation.world import alarm_record


@contextlib.contextmanager
def no_room(database):
    """SQLite finds no room for the file beside the store without which it opens nothing."""
    taken = database.with_name(f"{database.name}-shm")
    taken.mkdir()
    try:
        yield
    finally:
        if taken.is_dir():
            taken.rmdir()


@contextlib.contextmanager
def no_store(database):
    """There is no store yet, and none can be made."""
    for path in database.parent.glob(f"{database.name}*"):
        path.unlink()
    database.mkdir()
    try:
        yield
    finally:
        database.rmdir()


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch):
    monkeypatch.setattr(StoreOpensCheck, "every_s", 0.05)
    monkeypatch.setattr(StoreOpensCheck, "least_real_s", 0.05)


async def was_patient(world):
    async with world.agent():
        await start_patient(world)
    world.receiver.received.clear()


async def test_it_alarms_from_memory_with_what_the_closed_store_says_and_then_goes_on(world):
    await was_patient(world)
    acked = world.device.journal.acked_seq
    with no_room(world.paths.database):
        async with world.agent():
            world.device.read_sensors(12)
            world.device.event(alarm_record({}, HYPOXAEMIA=3))
            await world.receiver.wait_for(2)
            told = {event["name"]: event for event in events(world)}
            assert told.keys() == {"HYPOXAEMIA", "STORE_FAULT"}
            assert told["HYPOXAEMIA"]["patient"]["id"] == "P-1"
            status = await world.call("status")
            assert "cytowatch.db-shm is a folder, not a file" in status["store_error"]
            assert world.device.journal.acked_seq == acked
            world.paths.database.with_name("cytowatch.db-shm").rmdir()
            await world.until(lambda: world.device.journal.acked_seq > acked)
            assert query(world, "SELECT count(*) FROM readings") == [(12,)]

            async def is_over():
                return (await world.call("status"))["store_error"] is None

            await world.until(is_over)
            found = query(
                world,
                f"SELECT ended_utc_ms IS NOT NULL FROM host_alarms WHERE alarm = {codes.STORE_FAULT}",
            )
            assert found == [(1,)]


async def test_without_any_store_it_watches_a_wearable_that_says_it_is_bound(world):
    await was_patient(world)
    with no_store(world.paths.database):
        async with world.agent():
            world.device.event(alarm_record({}, HYPOXAEMIA=3))
            await world.receiver.wait_for(2)
            assert {event["name"] for event in events(world)} == {"HYPOXAEMIA", "STORE_FAULT"}


async def test_no_wearable_in_session_says_it_too(world):
    await was_patient(world)
    world.device.deaf = True
    with no_room(world.paths.database):
        async with world.agent():
            await world.receiver.wait_for(1)
            assert [event["name"] for event in events(world)] == ["STORE_FAULT"]


async def test_a_damaged_store_does_not_keep_it_from_watching(world):
    await was_patient(world)
    world.paths.database.write_bytes(b"not a database" * 1000)
    async with world.agent():
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        await world.receiver.wait_for(2)
        assert "HYPOXAEMIA" in {event["name"] for event in events(world)}
        assert "is not a database" in (await world.call("status"))["store_error"]


async def test_a_store_of_a_later_version_is_left_alone(world):
    await was_patient(world)
    with Store(world.paths.database) as store:
        store.write_now(lambda tx: tx.execute("PRAGMA user_version = 999"))
    with pytest.raises(SchemaNewer):
        async with world.agent():
            pass


async def test_a_disk_that_takes_no_socket_closes_only_the_door(world, monkeypatch):
    monkeypatch.setattr("host_agent.control.socket._LOOK_S", 0.05)
    real, left = ControlServer.start, [3]

    async def start(self):
        if left[0]:
            left[0] -= 1
            raise OSError(28, "No space left on device")
        await real(self)

    monkeypatch.setattr(ControlServer, "start", start)
    async with world.agent():
        await world.until(world.paths.socket.exists)
        await world.in_session()
        world.paths.socket.unlink()
        await world.until(world.paths.socket.exists)
        await world.in_session()


def test_a_folder_that_cannot_be_written_will_do_where_a_wearable_is_enrolled(world, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: not mode & 2)
    assert world.paths.ensure_readable() == world.paths
    for key in world.paths.keys.iterdir():
        key.unlink()
    with pytest.raises(StateFolderReadOnly):
        world.paths.ensure_readable()
