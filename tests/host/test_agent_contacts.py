"""The whole agent with contacts: people are called in their order until somebody accepts, also over a restart."""

import json

from crs_core import codes
from crs_core.journal import record_types

from tests.host.agent_world import query, start_patient
from tests.host.escalation.world import alarm_record

SPEED = 60.0  # a minute of the steps in a second
NOBODY = f"SELECT detail FROM host_alarms WHERE alarm = {codes.NOBODY_REACHED} AND ended_utc_ms IS NULL"


def with_contacts(world):
    """The world's receiver is a system; a caregiver is told at once and a nurse after a minute."""
    secret = world.config_text.split('secret_file = "')[1].split('"')[0]
    people = "".join(
        f'[[webhook]]\nname = "{name}"\nurl = "{world.receiver.url}/{name}"\nsecret_file = "{secret}"\n'
        "accept_simulated = true\n"
        f'[[contact]]\nname = "{person}"\nrole = "{role}"\nchannels = ["{name}"]\n'
        for name, person, role in (("carer-phone", "carer", "caregiver"), ("nurse-phone", "nurse-1", "nurse"))
    )
    steps = '[[step]]\ncontacts = ["carer"]\n[[step]]\nafter_s = 60\ncontacts = ["nurse-1"]\n'
    return world.config_text + people + steps + "[escalation]\naccept_within_s = 120\n"


def told(world, name):
    """(name of the receiver, stage) of what was sent about one alarm, in order."""
    found = []
    for request in world.receiver.received:
        event = json.loads(request.body)
        if event["name"] == name:
            found.append((request.path.rsplit("/", 1)[-1], event["stage"]))
    return found


async def test_called_in_order_until_a_person_accepts_and_sounding_on_the_wearable_meanwhile(world):
    config_text = with_contacts(world)
    async with world.agent(config_text=config_text, speed=SPEED):
        await start_patient(world)
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        await world.until(lambda: ("carer-phone", "raised") in told(world, "HYPOXAEMIA"))
        assert ("nurse-phone", "raised") not in told(world, "HYPOXAEMIA")
    async with world.agent(config_text=config_text, speed=SPEED):
        await world.until(lambda: ("nurse-phone", "raised") in told(world, "HYPOXAEMIA"))
        await world.until(lambda: world.device.unreached[-1:] == [3])
        assert "nobody has accepted it in 2 min; told: carer, nurse-1" in query(world, NOBODY)[0][0]
        world.device.event(record_types.Accepted(codes.HYPOXAEMIA, 3, 1, "ward"))
        await world.until(lambda: not query(world, NOBODY))
        await world.until(lambda: world.device.unreached[-1:] == [0])
        world.device.event(alarm_record({"HYPOXAEMIA": 3}, HYPOXAEMIA=0))
        await world.until(lambda: ("nurse-phone", "over") in told(world, "HYPOXAEMIA"))
        await world.until(lambda: ("carer-phone", "over") in told(world, "HYPOXAEMIA"))
