"""The six untruths of Apprise, and what is said where nobody knows: handed over, and nothing proves that it arrived."""

import asyncio
import contextlib
import json
import logging
import subprocess

import pytest

from host_agent.errors import ConfigError
from host_agent.forward import apprise_check
from host_agent.forward.apprise_helper import process
from host_agent.forward.delivery import Delivered, Delivery, RetryAfter
from host_agent.forward.forms.examples import EXAMPLES
from host_agent.forward.kinds import apprise as kind
from host_agent.forward.kinds.apprise import AppriseReceiver, AppriseService
from tests.fakes.fake_http import FakeReceiver, Reply

EVENT = EXAMPLES[0]
DELIVERY = Delivery("key-1", json.dumps(EVENT).encode())


@pytest.fixture
async def service():
    async with FakeReceiver() as fake:
        yield fake


@pytest.fixture
async def make(service):
    """Makes forwarders to the service by Apprise's own json:// and ends their processes."""
    made = []

    def one(timeout_s=5.0, url=None):
        address = url or f"json://127.0.0.1:{service.port}/hook"
        made.append(AppriseService("a", address, timeout_s=timeout_s, accept_simulated=False))
        return made[-1]

    yield one
    for forwarder in made:
        await forwarder.close()


async def test_what_is_handed_over_is_said_to_be_no_more(service, make):
    forwarder = make()
    assert await forwarder.send(DELIVERY) == Delivered("HTTP 200")
    body = json.loads(service.received[0].body)
    assert f"{body['title']} {body['message']}" == EVENT["text"] and body["type"] == "failure"
    receiver = AppriseReceiver(name="a", url_env="URL")
    assert receiver.proves().startswith("handed over; nothing proves that it arrived")


async def test_1_a_redirect_is_no_success(service, make):
    async with FakeReceiver() as elsewhere:
        forwarder = make()
        for status in (301, 302, 303, 307, 308):
            service.default = Reply(status, {"Location": elsewhere.url})
            outcome = await forwarder.send(DELIVERY)
            assert isinstance(outcome, RetryAfter) and f"HTTP {status}: a redirect" in outcome.reason
        assert elsewhere.received == []


NO = (
    b'{"ok": false}', b'{"success": false}', b'{"error": "no such chat"}', b'{"errors": ["x"]}', b'{"status": "error"}',
    b'{"status": "Invalid token"}', b'{"code": 401}', b'{"status": 403}', b"<!DOCTYPE html><html>Sign in</html>",
    b"Webhook message delivery failed with error: HTTP error 429",
)  # fmt: skip
NOTHING_AGAINST_IT = (
    b"", b"ok", b'{"ok": true}', b'{"id": 1, "status": "sent", "code": 200}', b"[]", b"\xff\xfe",
)  # fmt: skip


async def test_2_a_200_with_an_error_in_its_body_is_no_success(service, make):
    forwarder = make()
    for body in NO:
        service.default = Reply(200, body=body)
        outcome = await forwarder.send(DELIVERY)
        assert isinstance(outcome, RetryAfter) and "HTTP 200, but " in outcome.reason, body
    for body in NOTHING_AGAINST_IT:
        service.default = Reply(200, body=body)
        assert isinstance(await forwarder.send(DELIVERY), Delivered), body


@pytest.fixture
def said():
    handler = process._Said()
    logging.getLogger("apprise").addHandler(handler)
    yield handler
    logging.getLogger("apprise").removeHandler(handler)


@pytest.mark.parametrize("url, words", [
    ("mailto://u:p@example.org?to=a@example.org,broken", "the recipient broken"),
    ("mailto://u:p@example.org?to=broken", "broken"),
    ("mailto://u:p@example.org?to=a@example.org&cc=broken", "broken"),
    ("mailto://u:p@example.org/a@example.org/broken", "broken"),
    ("signal://localhost:9922/+15551231234/abc", "abc"),
    ("ntfys://ntfy.example.org/a/b", "it has 2 recipients: write one receiver for each"),
    ("mailto://u:p@example.org?to=a@example.org,b@example.org", "it has 2 recipients"),
    ("nonsense://geheim", "Apprise does not understand the address"),
    ("geheim", "Apprise does not understand the address"),
])  # fmt: skip
def test_3_a_recipient_that_would_be_dropped_is_refused_at_load(said, url, words):
    service, problem = process.make(url, 1.0, said)
    assert service is None and words in problem and "geheim" not in problem


@pytest.mark.parametrize(
    "url",
    ["ntfys://ntfy.example.org/ward-7", "mailto://u:p@example.org?to=a@example.org", "json://localhost/x"],
)
def test_3_one_recipient_is_taken(said, url):
    assert process.make(url, 1.0, said)[1] is None


def test_3_the_start_and_doctor_tell_it(monkeypatch):
    monkeypatch.setenv("URL", "mailto://u:geheim@example.org?to=a@example.org,broken")
    receiver = AppriseReceiver(name="a", url_env="URL")
    with pytest.raises(ConfigError) as error:
        receiver.forwarder(lambda: 0)
    (problem,) = receiver.problems()
    assert str(error.value) == str(problem) == "apprise a: Apprise drops the recipient broken."


async def test_4_a_slow_acceptance_is_told_as_what_nobody_knows(service, make):
    service.default = Reply(200, delay_s=30)
    forwarder = make(timeout_s=1.0)
    outcome = await forwarder.send(DELIVERY)
    assert (
        isinstance(outcome, RetryAfter)
        and "the service may have taken it, and it is sent again" in outcome.reason
    )
    service.default = Reply(200)
    assert isinstance(await forwarder.send(DELIVERY), Delivered)
    assert service.received[0].body == service.received[1].body


async def test_5_a_trickle_holds_nothing_beyond_the_deadline(service, make):
    service.default = Reply(200, drip_s=0.05)
    forwarder = make(timeout_s=1.0)
    await forwarder._started()
    async with asyncio.timeout(4):
        outcome = await forwarder.send(DELIVERY)
    assert isinstance(outcome, RetryAfter) and forwarder._helper is None


async def test_6_a_wait_that_is_cancelled_ends_the_sending(service, make):
    service.default = Reply(hang=True)
    forwarder = make(timeout_s=30.0)
    sending = asyncio.create_task(forwarder.send(DELIVERY))
    await service.wait_for(1)
    helper = forwarder._helper
    sending.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sending
    assert helper.returncode is not None and len(service.received) == 1


async def test_a_failure_is_told_without_the_address(service, make):
    service.default = Reply(500)
    assert (await make().send(DELIVERY)).reason == "not handed over: HTTP 500"
    await service.stop()
    outcome = await make(url=f"json://me:geheim@127.0.0.1:{service.port}/hook").send(DELIVERY)
    assert isinstance(outcome, RetryAfter) and outcome.whole_target and "geheim" not in outcome.reason


async def test_a_failure_never_counts_as_optional_and_is_not_repeated_by_apprise(service, make):
    service.default = Reply(500)
    url = f"json://127.0.0.1:{service.port}/hook?optional=yes&retry=3"
    assert isinstance(await make(url=url).send(DELIVERY), RetryAfter) and len(service.received) == 1


async def test_a_helper_that_dies_is_started_again(service, make):
    forwarder = make()
    await forwarder.send(DELIVERY)
    forwarder._helper.kill()
    await forwarder._helper.wait()
    assert isinstance(await forwarder.send(DELIVERY), Delivered)
    hanging = asyncio.create_task(forwarder.send(DELIVERY))
    service.default = Reply(hang=True)
    await service.wait_for(3)
    forwarder._helper.kill()
    assert (await hanging).reason == "Apprise did not run: its process ended"


async def test_the_environment_leads_nothing_elsewhere(service, make, monkeypatch):
    async with FakeReceiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert isinstance(await make().send(DELIVERY), Delivered) and proxy.connections == 0


def test_without_the_library_the_start_says_what_to_type(monkeypatch):
    monkeypatch.setattr(kind.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("URL", "json://localhost/x")
    with pytest.raises(ConfigError, match="not installed") as error:
        AppriseReceiver(name="a", url_env="URL").forwarder(lambda: 0)
    assert "cytowatch[apprise]" in error.value.advice


def test_one_process_answers_for_all_addresses_and_another_one_when_it_has_ended(monkeypatch):
    started, plain = [], subprocess.Popen
    monkeypatch.setattr(
        apprise_check.subprocess, "Popen", lambda *a, **k: started.append(plain(*a, **k)) or started[-1]
    )
    addresses = apprise_check.Addresses()
    assert [addresses.problem(f"json://127.0.0.1/{number}", 1.0) for number in range(3)] == [None] * 3
    assert "understand" in addresses.problem("nothing://x", 1.0)
    assert len(started) == 1
    started[0].kill()
    started[0].wait()
    assert addresses.problem("json://127.0.0.1/again", 1.0) is None and len(started) == 2
    addresses.close()
