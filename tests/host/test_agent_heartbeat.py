"""The whole agent with a watcher outside: its signs of life, what people see of them, and the end of the agent."""

import json

from crs_core import codes

from tests.fakes.fake_http import FakeReceiver, Reply
from tests.host.agent_world import query, start_patient
from tests.host.cli.guard_world import said

UNHEARD = f"SELECT 1 FROM host_alarms WHERE alarm = {codes.HEARTBEAT_UNHEARD}"


def config(world, url):
    return world.config_text + (
        f'[heartbeat]\nurl = "{url}"\nevery_s = 3600\nfail_suffix = "/fail"\nheaders = {{ X-Ward = "7" }}\n'
    )


async def test_status_and_doctor_show_it_and_the_watcher_rings_when_the_agent_ends_with_a_patient(world):
    async with FakeReceiver() as outside:
        text = config(world, outside.url)
        (world.home / "config.toml").write_text(text)
        async with world.agent(config_text=text) as agent:
            await start_patient(world)
            assert "Watcher outside: it has not heard this laptop yet." in await said(world, "status")
            await agent.heartbeat.look()
            assert "Watcher outside: it heard this laptop " in await said(world, "status")
            assert "info     heartbeat: it heard this laptop" in await said(world, "doctor", code=1)
            await outside.stop()
            await agent.heartbeat.look()
            assert "Not reached 1 times: not reached" in await said(world, "status")
            assert "problem  heartbeat:" in await said(world, "doctor", code=1)
            await outside.start(outside.port)
        assert [one.path for one in outside.received] == ["/hook", "/hook/fail"]
        assert outside.received[0].headers["x-ward"] == "7"
        whole = str([(one.path, one.headers, one.body) for one in outside.received])
        assert "P-1" not in whole and "555-0100" not in whole
    assert query(world, UNHEARD) == []


async def test_a_simulation_keeps_no_watcher_quiet(world):
    async with (
        FakeReceiver() as outside,
        world.agent(config_text=config(world, outside.url), speed=10.0) as agent,
    ):
        await world.in_session()
        assert agent.heartbeat is None


async def test_receivers_test_asks_the_watcher_with_its_secret(world):
    secret = world.home / "token"
    secret.write_text("a-token-of-the-watcher\n")
    secret.chmod(0o600)
    async with FakeReceiver() as outside:
        text = config(world, outside.url) + f'token_file = "{secret}"\n'
        (world.home / "config.toml").write_text(text)
        found = json.loads(await said(world, "receivers", "test", "--all", "--json"))["receivers"]
        assert [(one["name"], one["handed_over"]) for one in found] == [("ward", True), ("heartbeat", True)]
        assert [step["name"] for step in found[1]["steps"]] == ["DNS", "TCP", "message"]
        assert outside.received[0].headers["authorization"] == "Bearer a-token-of-the-watcher"
        outside.default = Reply(body=b"OK (not found)")
        found = json.loads(await said(world, "receivers", "test", "heartbeat", "--json", code=1))
        assert found["failed"] == 1 and "not found" in found["receivers"][0]["text"]
        listed = await said(world, "receivers", "list")
        assert "heartbeat" in listed and "/hook" not in listed.split("heartbeat", 1)[1]
