"""The whole agent: an alarm that reaches nobody is an alarm itself, here and on the wearable, until it is delivered."""

import asyncio
import contextlib

from crs_core import codes

from tests.fakes.fake_http import Reply
from tests.host.agent_world import events, query, start_patient
from tests.host.cli.people_cli import run_process
from tests.host.escalation.world import alarm_record

OPEN = (
    f"SELECT priority, detail FROM host_alarms WHERE alarm = {codes.NOBODY_REACHED} AND ended_utc_ms IS NULL"
)


async def refuse_a_high(world):
    """A HIGH alarm that the receiver refuses."""
    await start_patient(world)
    world.receiver.replies = [Reply(400)]
    world.device.event(alarm_record({}, HYPOXAEMIA=3))
    await world.until(lambda: query(world, OPEN))


@contextlib.asynccontextmanager
async def refused_while_the_store_fails(world):
    """A HIGH alarm that the receiver refuses while the store takes nothing: it sounds on the wearable."""
    async with world.agent() as agent:
        world.receiver.default = Reply(400)
        await start_patient(world)
        conn = agent.store._conn
        agent.store._writer.submit(lambda: conn.execute("PRAGMA query_only = ON")).result()
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        await world.until(lambda: world.device.unreached == [3])
        yield
        agent.store._writer.submit(lambda: conn.execute("PRAGMA query_only = OFF")).result()


async def test_refused_for_good_is_an_alarm_here_and_on_the_wearable_and_ends_with_a_delivery(world):
    async with world.agent():
        await refuse_a_high(world)
        ((priority, detail),) = query(world, OPEN)
        assert priority == codes.PRIORITY_HIGH
        assert detail == "HYPOXAEMIA: ward refused it (HTTP 400: the receiver refuses this event)"
        await world.until(lambda: world.device.unreached == [3])
        await world.until(lambda: "NOBODY_REACHED" in {event["name"] for event in events(world)})
        (number,) = query(world, "SELECT id FROM outbox WHERE alarm = 3")[0]
        assert await world.call("deliveries_retry", ids=[number]) == {"retried": 1}
        await world.until(lambda: not query(world, OPEN))
        await world.until(lambda: world.device.unreached == [3, 0])
    assert query(world, "SELECT state FROM outbox WHERE alarm = 3") == [("delivered",)]


async def test_a_restart_sends_again_what_was_refused_and_still_stands(world):
    async with world.agent():
        await refuse_a_high(world)
    async with world.agent():
        await world.until(lambda: not query(world, OPEN))
    assert query(world, "SELECT state, refusals FROM outbox WHERE alarm = 3") == [("delivered", 1)]
    assert len(query(world, f"SELECT 1 FROM host_alarms WHERE alarm = {codes.NOBODY_REACHED}")) == 1


async def test_without_any_receiver_a_high_alarm_has_reached_nobody(world):
    async with world.agent(config_text="[serial]\nscan_usb = false\n[ble]\nenabled = false\n"):
        await start_patient(world)
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        await world.until(lambda: world.device.unreached == [3])
        assert query(world, OPEN) == [(3, "no receiver that reaches a person is configured")]


async def test_it_ends_with_the_alarm_itself(world):
    async with world.agent():
        await refuse_a_high(world)
        world.device.event(alarm_record({"HYPOXAEMIA": 3}, HYPOXAEMIA=0))
        await world.until(lambda: not query(world, OPEN))


async def test_a_refusal_while_the_store_fails_sounds_on_the_wearable(world):
    async with refused_while_the_store_fails(world):
        assert world.device.unreached == [3]


async def test_what_was_refused_while_the_store_fails_is_shown_and_sent_again_by_the_commands(world):
    async with refused_while_the_store_fails(world):

        async def says(*arguments):
            return (await asyncio.to_thread(run_process, world.home, *arguments)).stdout

        listed = await says("deliveries", "list")
        assert "HYPOXAEMIA" in listed and "refused" in listed and "HTTP 400" in listed
        assert "HYPOXAEMIA" in await says("deliveries", "--json")
        assert "Receiver ward: " in await says("status")
        assert "could not be saved" in await says("doctor")
        world.receiver.default = Reply()
        before = len(world.receiver.received)
        assert not (await says("deliveries", "retry", "--all")).startswith("0 ")
        await world.until(lambda: "HYPOXAEMIA" in {event["name"] for event in events(world)[before:]})


async def test_its_own_delivery_that_is_refused_raises_nothing_more(world):
    async with world.agent():
        await start_patient(world)
        world.receiver.default = Reply(400)
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        await world.until(
            lambda: query(world, f"SELECT 1 FROM outbox WHERE alarm = {codes.NOBODY_REACHED} AND refusals")
        )
        assert "NOBODY_REACHED: ward" not in query(world, OPEN)[0][1]
    assert len(query(world, f"SELECT 1 FROM outbox WHERE alarm = {codes.NOBODY_REACHED}")) == 1


async def test_a_renamed_receiver_gets_what_stands_and_reached_nobody(world):
    async with world.agent():
        await refuse_a_high(world)
    async with world.agent(config_text=world.config_text.replace('"ward"', '"night"')):
        await world.until(lambda: not query(world, OPEN))
    assert query(world, "SELECT state FROM outbox WHERE target = 'night' AND alarm = 3") == [("delivered",)]


async def test_the_first_receiver_gets_what_stood_before_it_was_configured(world):
    async with world.agent(config_text="[serial]\nscan_usb = false\n[ble]\nenabled = false\n"):
        await start_patient(world)
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        await world.until(lambda: query(world, OPEN))
    async with world.agent():
        await world.until(lambda: not query(world, OPEN))
    told = [event for event in events(world) if event["name"] == "HYPOXAEMIA"]
    assert len(told) == 1 and told[0]["priority"] == "HIGH"
