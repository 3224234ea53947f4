"""kill -9 of the agent at random moments: nothing missing, nothing doubled, every event delivered under one key."""

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from host_agent.errors import HostAgentError
from tests.host.agent_world import PATIENT, make_world, query
from tests.host.escalation.world import alarm_record

COMMAND = str(Path(sys.executable).parent / "cytowatch")
READINGS = 500


async def start(world):
    """The agent as a process of its own, as a person starts it."""
    return await asyncio.create_subprocess_exec(
        COMMAND, "run", "--port", world.port.path, env={**os.environ, "CYTOWATCH_HOME": str(world.home)},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.slow
async def test_kill_9_over_500_readings_loses_and_doubles_nothing(tmp_path):
    seed = int(os.environ.get("CW_SEED", random.SystemRandom().randrange(10**6)))
    print(f"CW_SEED={seed}")
    chance = random.Random(seed)
    async with make_world(tmp_path) as world:
        (world.home / "config.toml").write_text(world.config_text)
        agent = await start(world)
        await world.until(world.paths.socket.exists, 20)
        await world.in_session()
        await world.call("patient_start", profile=PATIENT)
        await world.in_session()
        device = world.device
        wanted_readings = 0
        raised = []
        kills = 0
        while wanted_readings < READINGS:
            count = chance.randrange(5, 40)
            device.read_sensors(count)
            wanted_readings += count
            if chance.random() < 0.5:
                raised.append(device.event(alarm_record({}, HYPOXAEMIA=3)))
            await asyncio.sleep(chance.random() * 0.3)
            if chance.random() < 0.4:
                agent.send_signal(signal.SIGKILL)
                await agent.wait()
                kills += 1
                device.session.link_lost()
                agent = await start(world)
                await asyncio.sleep(chance.random() * 1.5)
        assert kills >= 2, "the seed gave too few kills to say anything"
        # the last agent may still be starting
        await world.until(lambda: query(world, "SELECT max(seq) FROM events")[0][0] == raised[-1], 30)
        await world.until(
            lambda: (
                query(world, "SELECT cursor FROM journals WHERE is_current = 1")[0][0]
                == device.journal.head_seq
            ),
            30,
        )
        waiting = "SELECT count(*) FROM outbox WHERE state <> 'delivered'"
        await world.until(lambda: query(world, waiting) == [(0,)], 30)

        async def answers():
            with contextlib.suppress(HostAgentError):
                return await world.call("status")

        await world.until(answers, 30)  # one that still starts would die of the signal, as any program does
        agent.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(agent.wait(), 15) == 0

        current = "journal = (SELECT id FROM journals WHERE is_current = 1)"
        readings = query(world, f"SELECT seq FROM readings WHERE {current} ORDER BY seq")
        events = query(world, f"SELECT seq FROM events WHERE {current} ORDER BY seq")
        assert len(readings) == wanted_readings
        assert sorted(readings + events) == [(seq,) for seq in range(1, device.journal.head_seq + 1)]
        assert query(world, "SELECT count(*) FROM gaps") == [(0,)]
        assert query(world, "SELECT count(*) FROM forks") == [(0,)]
        assert [seq for (seq,) in events if seq in raised] == raised
        received = [json.loads(request.body) for request in world.receiver.received]
        heard = [event["source"]["seq"] for event in received if event["name"] == "HYPOXAEMIA"]
        # beyond its share a wearable's repetitions are counted, and told together later
        counted = query(world, "SELECT coalesce(sum(number), 0) FROM repetitions")[0][0]
        assert set(heard) <= set(raised) and len(set(heard)) + counted == len(raised), (
            "every raise was told or counted"
        )
        assert heard[0] == raised[0] and len(set(heard)) >= min(len(raised), 10)
        bodies = {}
        for request in world.receiver.received:
            key = request.headers["idempotency-key"]
            assert bodies.setdefault(key, request.body) == request.body, "a resend carries the same bytes"
        assert query(world, "SELECT count(*) - count(DISTINCT event_key) FROM outbox") == [(0,)]
        assert query(world, "PRAGMA integrity_check") == [("ok",)]
