"""Commands around the moment at which a wearable gets another journal: none fails because of it."""

import asyncio
from types import SimpleNamespace

import pytest
from crs_core.wire import message as wire

from host_agent.control.find import in_session
from host_agent.control.socket import ControlFailed
from host_agent.errors import SessionClosed
from host_agent.link.supervisor import LinkState
from host_agent.sync import new_journal
from host_agent.sync.new_journal import bind
from tests.host.agent_world import PATIENT, make_world, query
from tools.rig.protocol_wearable import CUSTODIAN

NUMBERS = {"patient_call_number": "+49 30 555 0100", "emergency_number": "911"}


@pytest.fixture
async def world(tmp_path):
    async with make_world(tmp_path) as world:
        yield world


async def change(world, do, **fields):
    """`do` until the wearable deletes its old journal, with its Result sent and its BYE not."""
    world.device.may_hand_over.clear()
    world.device.handing_over.clear()
    running = asyncio.create_task(world.call(do, **fields))
    await world.device.handing_over.wait()
    for _ in range(3):  # the agent reads the Result
        await world.call("status")
    return running


@pytest.mark.parametrize(
    "do, fields",
    [("phones", {"numbers": NUMBERS}), ("phones", {"numbers": {}}), ("hosts", {}), ("revoke", {"key_id": "22"})],
)  # fmt: skip
async def test_a_command_while_the_old_journal_is_deleted_is_done_on_the_new_one(world, do, fields):
    world.device.read_only_answers[wire.Keys] = wire.KeysIs((wire.KeyInfo(CUSTODIAN.key_id, 1, "ward"),))
    if do == "revoke":
        world.device.read_only_answers[wire.Keys] = wire.Result(0x18, wire.RESULT_DONE, "")
    async with world.agent():
        await world.in_session()
        for start in ("patient_start", "patient_end"):
            start_fields = {"profile": PATIENT} if start == "patient_start" else {"override": "goes home"}
            changing = await change(world, start, **start_fields)
            asked = asyncio.create_task(world.call(do, **fields))
            for _ in range(3):
                await world.call("status")
            world.device.may_hand_over.set()
            await changing
            assert "device_id" in await asked


async def test_after_patient_start_the_next_command_finds_the_new_session(world):
    async with world.agent() as agent:
        await world.in_session()
        for do, fields in (
            ("patient_start", {"profile": PATIENT}),
            ("patient_end", {"override": "goes home"}),
        ):
            await world.call(do, **fields)
            (runner,) = agent.links.runners.values()
            assert runner.engine is not None
            assert runner.engine.status.binding_id == world.device.journal.binding_id
            assert await world.call("phones", numbers={}) | NUMBERS


async def test_a_pause_that_meets_the_start_of_a_patient_is_refused_in_words_and_not_begun_on_them(
    world, monkeypatch
):
    async with world.agent() as agent:
        await world.in_session()
        (runner,) = agent.links.runners.values()
        changing = await change(world, "patient_start", profile=PATIENT)
        client, sent = runner.engine.client, asyncio.Event()
        send = client.send

        async def sending(message):
            await send(message)
            if isinstance(message, wire.Pause):
                sent.set()

        monkeypatch.setattr(client, "send", sending)
        asked = asyncio.create_task(world.call("pause", seconds=300, why=1))
        await sent.wait()
        world.device.may_hand_over.set()
        with pytest.raises(ControlFailed, match="began a new journal"):
            await asked
        await changing
    assert query(world, "SELECT 1 FROM bindings")


async def test_a_goodbye_that_is_lost_ends_the_old_session_all_the_same(world, monkeypatch):
    monkeypatch.setattr(new_journal, "_BYE_DEADLINE_S", 0.01)
    async with world.agent() as agent:
        await world.in_session()
        (runner,) = agent.links.runners.values()
        client = runner.engine.client
        world.device.may_hand_over.clear()
        await bind(client, wire.BIND_START, b"bindings")
        assert client.over.is_set() and runner.engine is None
        world.device.may_hand_over.set()
        await world.in_session()


async def test_a_request_is_asked_again_once_and_no_more():
    asked = []
    engines = [SimpleNamespace(device_id=bytes(8)) for _ in range(3)]

    async def wait_engine(deadline_s):
        return engines[len(asked)]

    async def ask(engine):
        asked.append(engine)
        raise SessionClosed("gone")

    links = SimpleNamespace(
        runners={"port": SimpleNamespace(wait_engine=wait_engine)},
        supervisors={"port": SimpleNamespace(report=SimpleNamespace(state=LinkState.OPEN))},
    )
    with pytest.raises(SessionClosed):
        await in_session(links, None, ask)
    assert asked == engines[:2]
