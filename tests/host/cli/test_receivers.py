"""`cytowatch receivers`: the list says what a delivery proves, a test goes to one or all, a failure is exit code 1."""

import asyncio
import json

import pytest

from host_agent.terminal import exits
from tests.fakes.fake_http import FakeReceiver, Reply
from tests.host.cli.people_cli import run

TOKEN = "R0123456789ABCDEF0123456789ABCDE"


@pytest.fixture
async def service():
    async with FakeReceiver(Reply(200, body=b"ok")) as fake:
        yield fake


@pytest.fixture
def home(tmp_path, service):
    place = tmp_path / "home"
    place.mkdir()
    (place / "url.secret").write_text(service.url + "/services/T00/hunter2\n")
    (place / "url.secret").chmod(0o600)
    (place / "config.toml").write_text(
        '[[webhook]]\nname = "chat"\nform = "slack"\nurl_file = "url.secret"\ntimeout_s = 1.0\n'
        f'[[webhook]]\nname = "pager"\nform = "pagerduty"\nurl = "{service.url}"\ntoken_env = "PAGER"\n'
    )
    return place


async def typed(home, *arguments, **environ):
    return await asyncio.to_thread(run, home, "receivers", *arguments, PAGER=TOKEN, **environ)


async def test_the_list_says_where_each_sends_and_what_a_delivery_proves(home):
    shown = await typed(home, "list")
    assert "chat   webhook slack" in shown.stdout and "the service put it into the channel" in shown.stdout
    (chat, pager) = json.loads((await typed(home, "list", "--json")).stdout)["receivers"]
    assert chat["address"].startswith("address in ") and chat["problems"] == []
    assert "took it and calls whoever is on duty" in pager["proves"]
    assert "hunter2" not in shown.stdout and TOKEN not in shown.stdout


async def test_one_is_tested_and_gets_one_marked_message(home, service):
    done = await typed(home, "test", "chat")
    assert done.returncode == exits.DONE, done.stdout + done.stderr
    assert "chat (webhook slack): handed over: HTTP 200" in done.stdout
    assert "Handed over is not yet reached, read or accepted by a person" in done.stdout
    (request,) = service.received
    assert json.loads(request.body)["text"].startswith("TEST ") and "hunter2" not in done.stdout


async def test_a_failure_of_one_is_exit_code_1_and_the_others_are_tested(home, service):
    done = await typed(home, "test", "--all", "--json")
    found = {one["name"]: one for one in json.loads(done.stdout)["receivers"]}
    assert done.returncode == exits.FAILED and json.loads(done.stdout)["failed"] == 1
    assert found["chat"]["handed_over"] and not found["pager"]["handed_over"]
    assert "it was not taken" in found["pager"]["text"] and found["pager"]["proves"] is None
    assert [step["name"] for step in found["pager"]["steps"]] == ["DNS", "TCP", "message"]


async def test_what_cannot_be_tested_says_why(home):
    for arguments, code, words in (
        (("test",), exits.USAGE, "Say which receiver to test."),
        (("test", "chat", "--all"), exits.USAGE, "Say which receiver to test."),
        (("test", "chatt"), exits.USAGE, "There is no receiver chatt.\n  Receivers: chat, pager"),
    ):
        done = await typed(home, *arguments)
        assert done.returncode == code and words in done.stderr, done.stderr
    done = await asyncio.to_thread(run, home, "receivers", "test", "pager")
    assert done.returncode == exits.FAILED and "PAGER is not set" in done.stdout
    (home / "config.toml").unlink()
    done = await typed(home, "test", "--all")
    assert done.returncode == exits.FAILED and "nobody is told of an alarm" in done.stderr
    done = await typed(home, "list", "--json")
    assert done.returncode == exits.NO_DATA and json.loads(done.stdout) == {"receivers": []}


async def test_the_test_can_be_as_urgent_as_an_alarm(home, service):
    (home / "config.toml").write_text(
        f'[[webhook]]\nname = "phone"\nform = "ntfy"\nurl = "{service.url}/ward-7"\n'
    )
    for priority, number in ((), 3), (("--priority", "high"), 5):
        await typed(home, "test", "phone", *priority)
        assert json.loads(service.received[-1].body)["priority"] == number
