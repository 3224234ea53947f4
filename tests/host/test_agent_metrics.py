"""Figures of a running agent as Prometheus reads them: true, whole, and without any person in them."""

import asyncio
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from host_agent.errors import StoreError
from tests.fakes.fake_http import FakeReceiver, Reply
from tests.host.agent_world import PATIENT, query, start_patient
from tests.host.escalation.world import alarm_record
from tools.rig.free_port import free_port

PERSONAL = (PATIENT["patient"], "555-0100", "axilla", "54")


async def figures(port):
    """(name, labels) → value, of everything that the agent says."""

    def read():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            return answer.read().decode()

    text = await asyncio.to_thread(read)
    labels = [sample.labels for one in text_string_to_metric_families(text) for sample in one.samples]
    assert not [one for one in PERSONAL if one in str(labels)], text
    families = list(text_string_to_metric_families(text))
    assert all(one.documentation and one.type in ("gauge", "counter") for one in families)
    return {
        (sample.name.removeprefix("cytowatch_"), *sample.labels.values()): sample.value
        for one in families
        for sample in one.samples
    }


async def test_figures_follow_what_happens_and_name_no_patient(world):
    port = free_port()
    text = world.config_text + f'[metrics]\nlisten = "127.0.0.1:{port}"\n'
    async with world.agent(config_text=text) as agent:
        await start_patient(world)
        world.device.read_sensors(6)
        await world.until(lambda: query(world, "SELECT count(*) FROM readings")[0][0] >= 6)
        before = await figures(port)
        assert before["alarms", "no", "HIGH"] == 0 and before["store_ok",] == 1 and before["simulation",] == 0
        assert before["store_bytes",] > 0 and before["disk_free_bytes",] > 0
        assert before["newest_reading_age_seconds", "c0ffee00"] < 60 and before["synced", "c0ffee00"] == 1
        assert before["clock_error_seconds", "c0ffee00"] >= 0
        world.receiver.default = Reply(status=503)
        world.device.event(alarm_record({}, HYPOXAEMIA=3))
        await world.until(lambda: any(one.counters.retried for one in agent.workers))
        away = await figures(port)
        assert away["alarms", "no", "HIGH"] == 1 and away["deliveries", "ward", "pending"] >= 1
        assert (
            away["delivery_attempts_total", "retried", "ward"] >= 1 and away["receiver_failing", "ward"] == 1
        )
        assert away["delivery_oldest_age_seconds", "ward"] >= 0
        world.receiver.default = Reply()
        await world.until(lambda: query(world, "SELECT 1 FROM outbox WHERE state <> 'delivered'") == [])
        after = await figures(port)
        assert after["receiver_failing", "ward"] == 0 and ("deliveries", "ward", "pending") not in after
        assert after["messages_total",] > before["messages_total",]
    with pytest.raises(OSError, match="refused"):
        await figures(port)


async def test_a_store_that_cannot_be_read_is_said_and_nothing_of_it_is_shown_as_before(world, monkeypatch):
    port = free_port()
    text = world.config_text + f'[metrics]\nlisten = "127.0.0.1:{port}"\n'
    async with world.agent(config_text=text) as agent:
        await world.in_session()

        async def fails(fn):
            raise StoreError("the disk is gone")

        monkeypatch.setattr(agent.store, "read", fails)
        found = await figures(port)
        assert found["store_ok",] == 0 and not [one for one in found if one[0] in ("alarms", "deliveries")]
        assert found["newest_reading_age_seconds", "c0ffee00"] >= 0


async def test_a_place_that_is_taken_ends_no_monitoring(world, caplog):
    async with FakeReceiver() as other:
        text = world.config_text + f'[metrics]\nlisten = "127.0.0.1:{other.port}"\n'
        async with world.agent(config_text=text):
            await world.in_session()
            await world.until(
                lambda: [one for one in caplog.records if "nobody can read metrics at" in one.getMessage()]
            )
            assert (await world.call("status"))["devices"]


async def test_the_watcher_outside_is_among_the_figures(world):
    port = free_port()
    async with FakeReceiver() as outside:
        text = (
            world.config_text
            + f'[metrics]\nlisten = "127.0.0.1:{port}"\n[heartbeat]\nurl = "{outside.url}"\nevery_s = 3600\n'
        )
        async with world.agent(config_text=text) as agent:
            await world.in_session()
            assert ("heartbeat_age_seconds",) not in await figures(port)
            await agent.heartbeat.look()
            found = await figures(port)
            assert found["heartbeat_ok",] == 1 and found["heartbeat_age_seconds",] < 60
