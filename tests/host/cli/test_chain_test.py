"""`cytowatch test-alarm`: each hop of the real chain with its time, and nothing that could pass for an alarm."""

import json

import pytest
from crs_core.wire import message as wire

from host_agent.store.undelivered import undelivered
from tests.fakes.fake_http import Reply
from tests.host.agent_world import events, query, start_patient
from tests.host.cli.guard_world import PROOF, acts, in_alarm, said
from tests.host.escalation.world import alarm_record

DRIVEN, REFUSED = "look and listen", "not done: an alarm is active"


@pytest.fixture
def tried(ward):
    """A ward whose wearable answers a self-test."""
    ward.device.read_only_answers[wire.SelfTest] = report(DRIVEN)
    return ward


def report(done):
    return wire.SelfTestIs(json.dumps({"parts": {"outputs": {"pass": None, "done": done}}}))


async def hops(world, *arguments, code=0):
    text = await said(world, "test-alarm", "--json", *arguments, code=code)
    found = json.loads(text[: text.rindex("}") + 1])["hops"]
    assert len({one["kind"] for one in found}) == len(found)
    return {one["kind"]: one for one in found}


async def test_every_hop_is_tested_and_told_with_its_time(tried):
    async with tried.agent():
        await start_patient(tried)
        found = await hops(tried)
        assert list(found) == ["agent", "store", "wearable", "receiver"]
        assert all(one["passed"] and one["ms"] is not None for one in found.values())
        (event,) = [one for one in events(tried) if one["kind"] == "test"]
        assert (event["stage"], event["name"], event["priority"]) == ("test", "TEST", "LOW")
        assert event["alarm"] is event["grade"] is event["patient"] is None and "accept" not in event
        assert "this is a test of this way to you. No alarm is behind it" in event["text"]
        assert event["text"].startswith("TEST ") and "P-1" not in event["text"]
        text = await said(tried, "test-alarm")
        assert "All 4 hops passed." in text
        assert query(tried, "SELECT count(*) FROM episodes WHERE kind = 'test'") == [(0,)]


async def test_a_receiver_that_does_not_take_it_fails_and_gets_no_test_later(tried):
    tried.receiver.default = Reply(status=503)
    async with tried.agent() as agent:
        await start_patient(tried)
        found = await hops(tried, "--wait", "1s", code=1)
        hop = found["receiver"]
        assert (hop["passed"], hop["ms"]) == (False, None) and "not taken within 1 s" in hop["text"]
        assert found["wearable"]["passed"]
        assert query(tried, "SELECT state FROM outbox WHERE event_key LIKE 'test-%'") == [("withheld",)]
        tried.receiver.default = Reply(status=200)
        agent.workers.retry_now()
        now_ms = agent.clock.utc_ms()
        assert [
            one for one in await agent.store.read(lambda tx: undelivered(tx, now_ms)) if one.alarm == 0
        ] == []


async def test_a_receiver_that_refuses_it_is_named(tried):
    async with tried.agent():
        await start_patient(tried)
        await tried.until(lambda: not query(tried, "SELECT 1 FROM outbox WHERE state = 'pending'"))
        tried.receiver.default = Reply(status=400)
        hop = (await hops(tried, code=1))["receiver"]
        assert not hop["passed"] and hop["text"].startswith("refused: ") and "400" in hop["text"]


async def test_a_wearable_that_is_away_fails(tried):
    async with tried.agent():
        await start_patient(tried)
        await tried.call("release", port=tried.port.path, seconds=60)
        hop = (await hops(tried, code=1))["wearable"]
        assert hop["text"] == "it is not in session, so it cannot be told anything now"
        assert not hop["passed"]


async def test_nobody_and_nothing_is_no_passed_test(tried):
    config = tried.config_text.split("[[webhook]]")[0]
    (tried.home / "config.toml").write_text(config)
    tried.device.session.close(0)
    async with tried.agent(config_text=config):
        found = await hops(tried, "--device", "ffff", code=1)
        assert "no receiver is configured" in found["receiver"]["text"]
        assert not found["wearable"]["passed"]


async def test_a_log_alone_is_no_passed_test_and_a_high_alarm_has_reached_nobody(tried):
    config = (
        tried.config_text.split("[[webhook]]")[0]
        + f'[[syslog]]\nname = "log"\naddress = "{tried.home}/log"\n'
    )
    (tried.home / "config.toml").write_text(config)
    assert "none reaches a person" in await said(tried, "doctor")
    async with tried.agent(config_text=config):
        await start_patient(tried)
        assert "no receiver reaches a person" in (await hops(tried, "--wait", "1s", code=1))["people"]["text"]
        tried.device.event(alarm_record({}, HYPOXAEMIA=3))
        await tried.until(lambda: tried.device.unreached == [3])


async def test_under_a_high_alarm_somebody_must_stand_for_it_and_the_wearable_keeps_alarming(tried):
    tried.device.read_only_answers[wire.SelfTest] = report(REFUSED)
    async with tried.agent():
        await in_alarm(tried)
        assert "HIGH alarms stand about P-1: oxygen low." in await said(tried, "test-alarm", code=1)
        assert [one for one in events(tried) if one["kind"] == "test"] == []
        found = await hops(tried, *PROOF, code=1)
        assert found["wearable"]["text"] == REFUSED
        assert found["receiver"]["passed"] and acts(tried)[-1]["act"] == "test_alarm"


async def test_without_an_agent_nothing_is_tested(tried):
    await said(tried, "test-alarm", code=3)
    assert "at most 25s" in await said(tried, "test-alarm", "--wait", "1m", code=2)
