"""The whole agent with an ntfy server: somebody presses the button of a message, and everyone knows who comes."""

import asyncio

from crs_core import codes
from crs_core.wire import message as wire

from tests.fakes.fake_ntfy import FakeNtfy
from tests.host.agent_world import events, query, start_patient
from tests.host.cli.guard_world import said
from tests.host.escalation.world import alarm_record

REFUSED = "SELECT name, value FROM counters WHERE name LIKE 'reply_refused_%'"


def config(world, server):
    return world.config_text + (
        f'[[webhook]]\nname = "phone-of-anna"\nform = "ntfy"\nurl = "{server.url}/alarms"\nreply_topic = "replies"\n'
        "accept_simulated = true\nretry_first_s = 0.05\n"
        '[[contact]]\nname = "anna"\nrole = "caregiver"\nchannels = ["phone-of-anna"]\n[[step]]\ncontacts = ["anna"]\n'
    )


async def button(world, server, priority=5, number=0):
    """The button of the so-manieth message of this urgency at the phone."""

    def found():
        rings = [
            one for one in server.topics.get("alarms", []) if one["priority"] == priority and one["actions"]
        ]
        with_button = [one["actions"][0] for one in rings if one["actions"][0]["action"] == "http"]
        return with_button[number:]

    return (await world.until(found))[0]


async def test_a_press_accepts_once_by_the_name_of_the_contact_and_everyone_is_told(world):
    async with FakeNtfy() as server, world.agent(config_text=config(world, server)):
        await start_patient(world)
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        pressed = await button(world, server)
        await asyncio.gather(server.press(pressed), server.press(pressed))
        await world.until(lambda: world.device.accepted == [wire.AlarmAccept(codes.HYPOXAEMIA, 3, "anna")])
        await world.until(lambda: query(world, REFUSED) == [("reply_refused_used", 1)])
        assert query(world, "SELECT who, how, audit FROM acceptances") == [
            ("anna", "ntfy receiver phone-of-anna", None)
        ]
        await world.until(lambda: [one for one in events(world) if one.get("stage") == "accepted"])
        told = await world.until(
            lambda: [one for one in server.topics["alarms"] if "anna accepted" in str(one)]
        )
        assert "http" not in str(told[0]["actions"]).split("'"), "an acceptance cannot be accepted"
        (world.home / "config.toml").write_text(config(world, server))
        line = await said(world, "history", "--kind", "told", "--patient", "P-1")
        assert "to phone-of-anna (anna): SIMULATED. URGENT " in line and "anna accepted it at " in line
        assert "with the code of this message." in line and "to ward: " in line
        assert "No patient P-9 was ever bound here." in await said(
            world, "history", "--patient", "P-9", code=1
        )
        other = {**pressed, "body": pressed["body"].replace('"key": "', '"key": "other-')}
        await server.press(other)
        await world.until(lambda: ("reply_refused_other_event", 1) in query(world, REFUSED))


async def test_a_press_for_an_alarm_that_has_ended_is_answered_at_the_phone(world):
    async with FakeNtfy() as server, world.agent(config_text=config(world, server)):
        await start_patient(world)
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        pressed = await button(world, server)
        world.device.event(alarm_record({"HYPOXAEMIA": 3}, HYPOXAEMIA=0))
        await world.until(lambda: query(world, "SELECT 1 FROM episodes WHERE state = 'closed'"))
        await server.press(pressed)
        await world.until(
            lambda: [one for one in server.topics["alarms"] if one["message"] == "This alarm has ended."]
        )
        assert query(world, "SELECT 1 FROM acceptances") == [] and world.device.accepted == []
