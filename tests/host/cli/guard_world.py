"""A laptop with people and a patient in alarm, for tests of acts that need a guard."""

import asyncio
import json
import shutil
from pathlib import Path

from tests.host.agent_world import World, events, query, start_patient
from tests.host.cli.people_cli import run_process as run
from tests.host.escalation.world import alarm_record

PROOF = ("--account", "nurse-1", "--reason", "goes to intensive care", "--patient", "P-1")


def with_people(world: World, people: Path) -> World:
    """The laptop with everybody's account, and a configuration that commands find."""
    shutil.copytree(people, world.home, dirs_exist_ok=True)
    (world.home / "config.toml").write_text(world.config_text)
    return world


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


async def told(world, name):
    """The event that tells receivers of a guarded act."""
    (event,) = await world.until(
        lambda: [one for one in events(world) if one["kind"] == "act" and one["name"] == name]
    )
    return event


def is_bound(world):
    return query(world, "SELECT 1 FROM bindings WHERE state <> 'ended'") != []
