"""Locks against sleep and the lid, from a logind on a real bus; a system that gives none says so beforehand."""

import asyncio
import sys

import pytest

from host_agent.escalation.checks.check import CheckParts
from host_agent.escalation.checks.stays_awake import AGAIN_S, StaysAwakeCheck
from host_agent.platform.sleep import LID, SLEEP, Logind, NotKnownHere, Refused, system_bus, warning, within
from tests.fakes.fake_clock import FakeClock
from tests.host.escalation.world import NOW_MS, World
from tools.rig.desktop import has_bus, session_bus
from tools.rig.logind import logind

NO_BUS = pytest.mark.skipif(not has_bus(), reason="no dbus-daemon here; `apt-get install dbus` brings it")
BOTH = {SLEEP, LID}


@pytest.fixture
def address():
    with session_bus() as found:
        yield found


@NO_BUS
async def test_both_are_kept_away_by_one_lock_until_it_is_released(address):
    async with logind(address) as manager:
        lock = await Logind(address).inhibit()
        assert manager.asked == [
            ["sleep:handle-lid-switch", "CytoWatch", "A patient is monitored by this laptop", "block"]
        ]
        assert manager.held() == lock.what == BOTH and warning(lock, "") == ""
        lock.release()
        assert manager.are_gone()


@NO_BUS
@pytest.mark.parametrize(
    ("refused", "held", "said"),
    [({LID}, {SLEEP}, "A closed lid ends monitoring here."), ({SLEEP}, {LID}, "Sleep ends monitoring here.")],
)
async def test_what_is_granted_alone_is_taken_and_the_rest_is_said(address, refused, held, said):
    async with logind(address, refused) as manager:
        lock = await Logind(address).inhibit()
        assert manager.held() == lock.what == held
        assert warning(lock, "").startswith(said) and "Leave the lid open" in warning(lock, "")
        lock.release()


@NO_BUS
async def test_nothing_granted_is_refused_with_the_words_of_the_system(address):
    async with logind(address, BOTH):
        with pytest.raises(Refused, match="logind refuses: Permission denied"):
            await Logind(address).inhibit()


@NO_BUS
async def test_a_bus_without_logind_is_refused(address):
    with pytest.raises(Refused, match="logind"):
        await Logind(address).inhibit()


@NO_BUS
async def test_a_logind_that_never_answers_holds_up_nothing(address):
    async with logind(address) as manager:
        manager.is_silent = True
        with pytest.raises(Refused, match="no answer within"):
            await within(0.2, Logind(address))


@pytest.mark.parametrize("address", ["unix:path=/nowhere", "rubbish", "tcp:host=127.0.0.1,port=1", ""])
async def test_an_address_that_is_none_is_refused(address, monkeypatch):
    monkeypatch.setattr("host_agent.platform.sleep.system_bus", lambda environ: None)
    with pytest.raises(Refused):
        await within(5, Logind(address))


async def test_another_system_says_what_it_is():
    with pytest.raises(Refused, match="does not keep"):
        await NotKnownHere().inhibit()


def test_the_usual_bus_and_another_one():
    assert system_bus({"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/x"}) == "unix:path=/x"


@NO_BUS
async def test_it_is_held_while_a_patient_is_bound_and_released_when_none_is(address, tmp_path):
    world, clock = World(tmp_path, bound=False), FakeClock(utc_ms=NOW_MS)
    check = StaysAwakeCheck(CheckParts(world.store, world.escalation, clock), Logind(address))
    async with logind(address) as manager:
        await check.look()
        assert manager.asked == []
        world.store.write_now(bind)
        await check.look()
        await clock.advance(AGAIN_S + 1)
        await check.look()
        assert manager.held() == BOTH and len(manager.asked) == 1 and check.is_held
        world.store.write_now(lambda tx: tx.execute("UPDATE bindings SET state = 'ended'"))
        await check.look()
        assert manager.are_gone() and not check.is_held
        world.store.write_now(lambda tx: tx.execute("UPDATE bindings SET state = 'active'"))
        await check.look()
        assert manager.held() == BOTH
        check.close()
        assert manager.are_gone()
    world.store.close()


def bind(tx):
    tx.execute("INSERT INTO patients VALUES (1, 'P-1', '', 0)")
    tx.execute("INSERT INTO bindings VALUES (1, ?, 1, 1, '', 'active', 0, NULL, '')", (b"BINDING1",))


@NO_BUS
async def test_what_cannot_be_kept_away_is_said_once_and_tried_again_each_minute(address, tmp_path, caplog):
    world, clock = World(tmp_path), FakeClock(utc_ms=NOW_MS)
    check = StaysAwakeCheck(CheckParts(world.store, world.escalation, clock), Logind(address))
    async with logind(address, BOTH) as manager:
        for _ in range(40):
            await check.look()
            await clock.advance(5)
        assert 3 * 3 <= len(manager.asked) <= 4 * 3
        assert check.warning.startswith("Sleep ends monitoring and a closed lid ends monitoring here.")
        assert caplog.text.count("ends monitoring here") == 1
        manager.refused.clear()
        await clock.advance(AGAIN_S)
        await check.look()
        assert manager.held() == BOTH and check.warning == ""
        check.close()
    world.store.close()


@NO_BUS
async def test_the_lock_ends_with_the_process_that_has_it(address):
    async with logind(address) as manager:
        code = f"""
import asyncio
from host_agent.platform.sleep import Logind

async def main():
    await Logind({address!r}).inhibit()
    print("held", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""
        holder = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
        )
        assert await holder.stdout.readline() == b"held\n"
        assert manager.held() == BOTH
        holder.kill()
        await holder.wait()
        assert manager.are_gone()
