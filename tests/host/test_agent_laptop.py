"""A running agent on a laptop with a loudspeaker, a battery and a lid: what sounds, what is told and shown."""

import asyncio
import contextlib

import pytest
from crs_core import codes

from host_agent.clock import RealClock
from host_agent.laptop import Laptop
from host_agent.platform.power_supply import Power
from host_agent.platform.service_notify import ServiceManager
from host_agent.platform.sleep import LID, SLEEP, Lock, Refused
from host_agent.sound.speaker import Speaker
from tests.host.agent_world import events, start_patient
from tests.host.cli.people_cli import run_process
from tests.host.escalation.world import alarm_record
from tools.rig.sound_server import MISSING, SINK, has_sound_server, sound_server


class FakeSleeps:
    """`granted` is what the system gives; `is_held` whether somebody has it now."""

    granted = frozenset((SLEEP, LID))

    async def inhibit(self):
        if not self.granted:
            raise Refused("systemd-logind refuses: Permission denied")
        return Lock(self.granted, ())


def laptop(power=None, sleeps=None):
    speaker = Speaker(80, RealClock())
    return Laptop(speaker, True, sleeps or FakeSleeps(), lambda: power or Power(None), ServiceManager({}))


@contextlib.contextmanager
def no_sound(monkeypatch, tmp_path):
    monkeypatch.setenv("PULSE_SERVER", "unix:/nowhere")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    yield


def told(world):
    return {(one["name"], one["priority"]) for one in events(world)}


@pytest.mark.real_time
async def test_a_laptop_without_a_loudspeaker_on_its_last_battery_with_a_lid_says_each(
    world, monkeypatch, tmp_path
):
    sleeps = FakeSleeps()
    sleeps.granted = frozenset()
    with no_sound(monkeypatch, tmp_path):
        async with world.agent(laptop=laptop(Power(True, 12, 15), sleeps)):
            await start_patient(world)
            await world.until(lambda: {"NO_SOUND", "LAPTOP_BATTERY"} <= {name for name, _ in told(world)})
            shown = (await asyncio.to_thread(run_process, world.home, "status")).stdout
            for text in (
                "This laptop, sound: it cannot be heard: no loudspeaker answers.",
                "This laptop, power: on its battery, 12 % left, about 15 min. Plug it in.",
                "This laptop, sleep: Sleep ends monitoring and a closed lid ends monitoring here.",
            ):
                assert text in " ".join(shown.split()), shown
            found = await asyncio.to_thread(run_process, world.home, "doctor")
            assert found.returncode == 1 and "this laptop, sound: it cannot be heard" in found.stdout
            status = (await world.call("status"))["laptop"]
            assert {name: one["state"] for name, one in status.items()} == {
                "sound": "silent", "sleep": "may_sleep", "power": "on_battery",
            }  # fmt: skip


@pytest.mark.real_time
@pytest.mark.skipif(not has_sound_server(), reason=MISSING)
async def test_an_alarm_of_the_wearable_is_heard_in_the_room_until_it_ends(world, monkeypatch):
    with sound_server() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        async with world.agent(laptop=laptop()) as agent:
            await start_patient(world)
            await world.until(lambda: agent.laptop.values()["sound"]["state"] == "ready")
            with server.recorded() as recording:
                world.device.event(alarm_record({}, HYPOXAEMIA=3))
                await world.until(lambda: agent.laptop.values()["sound"]["state"] == "playing")
                await world.until(lambda: agent.laptop.values()["sound"]["playing"] == codes.PRIORITY_HIGH)
                await world.until(lambda: recording.has(10))
            server.control("set-sink-mute", SINK, "1")
            await world.until(lambda: ("NO_SOUND", "HIGH") in told(world))


async def test_an_agent_without_a_laptop_says_nothing_of_one(world):
    async with world.agent():
        assert (await world.call("status"))["laptop"] is None
