"""A laptop with people and a patient in alarm, for tests of acts that need a guard."""

import asyncio
import json

from host_agent.people.admission import Opening
from host_agent.people.composing import compose
from tests.host.agent_world import events, query, start_patient
from tests.host.cli.people_cli import run_process as run
from tests.host.escalation.world import alarm_record

PROOF = ("--account", "nurse-1", "--reason", "goes to intensive care", "--patient", "P-1")


async def said(world, *arguments, code=0, **environment):
    done = await asyncio.to_thread(run, world.home, *arguments, **environment)
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    return done.stdout + done.stderr


async def in_alarm(world):
    """A patient with a HIGH alarm that the wearable journaled."""
    done = await start_patient(world)
    world.device.read_sensors(6)
    world.device.event(alarm_record({}, HYPOXAEMIA=3))
    await world.until(lambda: [one for one in events(world) if one["name"] == "HYPOXAEMIA"])
    await world.in_session()
    return done


def acts(world):
    """The values of each guarded act in the chain."""
    rows = query(world, "SELECT entry FROM audit WHERE kind IN ('act', 'close_episode') ORDER BY seq")
    return [json.loads(row[0])["values"] for row in rows]


async def forget_binding(world):
    """The wearable loses what it knew, as by another laptop or by a factory reset: it says that it is unbound."""
    world.device.bind(bytes(8))
    world.device.session.link_lost()
    await world.until(lambda: query(world, "SELECT 1 FROM journals WHERE is_current AND binding IS NULL"))
    await world.in_session()


async def signed_for(world, signer, offer, act, **change):
    """The proof that somebody signs for what the agent offered; `change` replaces values of the entry."""
    concerned = offer["bindings"]
    values = {
        "act": act, "reason": "x", "alarms": [alarm for one in concerned.values() for alarm in one["alarms"]],
        "patients": {binding: one["patient"] for binding, one in concerned.items()}, "ticket": offer["ticket"],
    }  # fmt: skip
    opening = Opening(**await world.call("entry_begin", about_patient=False))
    raw, signature = compose(opening, signer, "act", {**values, **change})
    return {"entry": raw.decode(), "signature": signature.hex()}


async def told(world, name):
    """The event that tells receivers of a guarded act."""
    (event,) = await world.until(
        lambda: [one for one in events(world) if one["kind"] == "act" and one["name"] == name]
    )
    return event


def is_bound(world):
    return query(world, "SELECT 1 FROM bindings WHERE state <> 'ended'") != []
