"""A test of one receiver names the step that fails: name, connection, proxy, greeting, certificate, or the answer."""

import asyncio
import json
import socket

import pytest

from host_agent.clock import RealClock
from host_agent.escalation.receiver_test import delivery_of_test
from host_agent.forward.endpoint import Endpoint, walk
from host_agent.forward.kinds.mail import MailReceiver
from host_agent.forward.kinds.mqtt import MqttReceiver
from host_agent.forward.kinds.webhook import WebhookReceiver
from host_agent.forward.message import read_message
from host_agent.forward.trial import try_receivers
from tests.fakes.certificates import Authority
from tests.fakes.fake_http import FakeReceiver, Reply
from tests.fakes.fake_mail import FakeMail
from tools.rig.free_port import free_port
from tools.rig.mosquitto import MISSING, mosquitto, mosquitto_path

NOW = RealClock().utc_ms

DELIVERY = delivery_of_test("w", "00", "LOW", 1_700_000_000_000)


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


async def try_receiver(receiver, delivery, utc_ms):
    (trial,) = await try_receivers([(receiver, delivery)], utc_ms)
    return trial


async def tried(url, **change):
    receiver = WebhookReceiver(
        name="w", url=url, **{"form": "slack", "timeout_s": 1.0, "allow_plain_http": True, **change}
    )
    return await try_receiver(receiver, DELIVERY, NOW)


def steps(trial):
    return [(step.name, step.is_done) for step in trial.steps]


async def test_each_step_is_told_with_its_time_and_how_long_the_certificate_serves(authority):
    async with FakeReceiver(Reply(200, body=b"ok"), tls=authority.server(days=30)) as fake:
        trial = await tried(fake.url, ca_file=str(authority.ca_file))
    assert trial.handed_over and trial.text == "handed over: HTTP 200"
    assert steps(trial) == [("DNS", True), ("TCP", True), ("TLS", True), ("message", True)]
    assert all(0 <= step.seconds < 1 for step in trial.steps)
    assert "30 days" in trial.steps[2].text and "Renew" not in trial.steps[2].text


@pytest.mark.parametrize(
    "days, words", [(5, "5 days. Renew it now"), (-1, "certificate has expired"), (-100, "has expired")]
)
async def test_a_certificate_that_ends_is_told(authority, days, words):
    async with FakeReceiver(Reply(200, body=b"ok"), tls=authority.server(days=days)) as fake:
        trial = await tried(fake.url, ca_file=str(authority.ca_file))
    assert words in trial.steps[2].text and trial.handed_over == (days > 0)
    assert days > 0 or (fake.received == [] and "the certificate of 127.0.0.1 does not serve" in trial.text)


async def test_a_certificate_that_nobody_vouches_for_or_of_another_name_is_told(authority):
    async with FakeReceiver(tls=authority.server()) as fake:
        text = (await tried(fake.url)).text
        assert "does not serve: unable to get local issuer" in text and "ca_file" in text
    async with FakeReceiver(tls=authority.server(host="127.0.0.9")) as fake:
        assert "IP address mismatch" in (await tried(fake.url, ca_file=str(authority.ca_file))).text


async def test_a_name_that_there_is_none_and_a_port_where_nobody_listens(monkeypatch):
    async def nobody(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with monkeypatch.context() as network:
        network.setattr(asyncio.get_running_loop(), "getaddrinfo", nobody)
        trial = await tried("https://no-such-machine.example.org/x")
    assert steps(trial) == [("DNS", False)] and trial.text == "not handed over: name or service not known"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    trial = await tried(f"http://127.0.0.1:{port}/x")
    assert steps(trial) == [("DNS", True), ("TCP", False)] and "refused" in trial.text


async def test_plain_text_where_tls_is_expected_and_silence():
    async with FakeReceiver(Reply()) as fake:
        trial = await tried(fake.url.replace("http:", "https:"))
        assert steps(trial)[-1] == ("TLS", False)
    mute = await asyncio.start_server(lambda r, w: asyncio.Event().wait(), "127.0.0.1", 0)
    port = mute.sockets[0].getsockname()[1]
    trial = await tried(f"https://127.0.0.1:{port}/x", timeout_s=0.3)
    assert steps(trial)[-1] == ("TLS", False) and trial.steps[-1].text == "no answer within 0.3 s"
    mute.close()


@pytest.mark.parametrize("reply, words", [
    (Reply(200, body=b"invalid_token"), "not handed over: HTTP 200, but it was not taken: invalid_token"),
    (Reply(403), "not handed over: HTTP 403"), (Reply(400), "not handed over: refused for good: HTTP 400"),
    (Reply(302, {"Location": "https://a.example/T00/secret"}), "redirect"), (Reply(hang=True), "no answer within"),
])  # fmt: skip
async def test_an_answer_that_is_no_acceptance_fails_the_test(reply, words):
    async with FakeReceiver(reply) as fake:
        trial = await tried(fake.url, timeout_s=0.4)
    assert not trial.handed_over and words in trial.text and "secret" not in trial.text
    assert steps(trial)[-1] == ("message", False)


async def _proxy(reader, writer, answer=b"HTTP/1.1 200 Connection established\r\n\r\n", asked=None):
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    asked.append(head.split("\r\n")[0])
    writer.write(answer)
    host, port = head.split()[1].rsplit(":", 1)
    if b" 200 " in answer:
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
    writer.close()


async def _pump(reader, writer):
    while data := await reader.read(4096):
        writer.write(data)
    writer.close()


async def test_the_way_leads_through_the_proxy_that_is_named(authority):
    asked = []
    proxy = await asyncio.start_server(lambda r, w: _proxy(r, w, asked=asked), "127.0.0.1", 0)
    address = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    async with FakeReceiver(Reply(200, body=b"ok"), tls=authority.server()) as fake:
        trial = await tried(fake.url, proxy=address, ca_file=str(authority.ca_file))
        assert trial.handed_over, trial
        assert steps(trial) == [
            ("DNS", True),
            ("TCP", True),
            ("proxy", True),
            ("TLS", True),
            ("message", True),
        ]
        assert asked == [f"CONNECT 127.0.0.1:{fake.port} HTTP/1.1"] * 2
    proxy.close()


async def test_a_proxy_that_refuses_is_told():
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
    proxy = await asyncio.start_server(lambda r, w: _proxy(r, w, refusal, []), "127.0.0.1", 0)
    address = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    trial = await tried("https://alarms.example.org/x", proxy=address)
    assert steps(trial)[-1] == ("proxy", False) and "407 Proxy Authentication" in trial.text
    proxy.close()


async def test_a_mail_server_is_greeted_before_its_certificate_is_looked_at(authority):
    keys = {
        "name": "m",
        "server": "127.0.0.1",
        "sender": "a@b.org",
        "recipients": ("c@d.org",),
        "timeout_s": 2.0,
    }
    async with FakeMail(authority.server(), starttls=True) as server:
        receiver = MailReceiver(**keys, port=server.port, ca_file=str(authority.ca_file))
        trial = await try_receiver(receiver, DELIVERY, lambda: 0)
        assert steps(trial) == [
            ("DNS", True),
            ("TCP", True),
            ("greeting", True),
            ("TLS", True),
            ("message", True),
        ]
        assert (
            server.mails[0].message["subject"].startswith("TEST ")
            and server.mails[0].message["importance"] is None
        )
    async with FakeMail() as plain:
        trial = await try_receiver(MailReceiver(**keys, port=plain.port), DELIVERY, lambda: 0)
        assert "offers no STARTTLS" in trial.text


async def test_a_secret_that_is_missing_is_told_before_anything_is_sent(monkeypatch):
    monkeypatch.delenv("NOT_THERE", raising=False)
    trial = await tried("https://a.example.org/x", token_env="NOT_THERE")
    assert trial.steps == [] and "NOT_THERE is not set" in trial.text and trial.advice


def test_the_message_says_that_it_is_a_test_in_every_field():
    message, body = read_message(DELIVERY), json.loads(DELIVERY.body)
    assert (message.stage, body["kind"], body["name"]) == ("test", "test", "TEST")
    assert message.text.startswith("TEST ") and "No alarm is behind it" in message.text
    assert body["patient"] is None and body["simulated"] is False


async def test_one_that_hangs_keeps_no_other_from_being_tried():
    async with FakeReceiver(Reply(200, body=b"ok")) as good, FakeReceiver(Reply(hang=True)) as mute:
        keys = {"form": "slack", "timeout_s": 0.5}
        wanted = [(WebhookReceiver(name="w", url=fake.url, **keys), DELIVERY) for fake in (mute, good, mute)]
        trials = await try_receivers(wanted, NOW)
    assert [trial.handed_over for trial in trials] == [False, True, False]


async def test_a_head_without_end_is_left():
    async def flood(reader, writer):
        while not writer.is_closing():
            writer.write(b"x" * 9000)
            await writer.drain()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    context = WebhookReceiver(name="w", url="https://a.example.org/x", form="slack").tls()
    (*_, last) = await walk(Endpoint("a.example.org", 443, context, ("127.0.0.1", port)), 2.0, 0)
    assert (last.name, last.is_done) == ("proxy", False)
    server.close()


@pytest.mark.skipif(mosquitto_path() is None, reason=MISSING)
async def test_a_test_does_not_end_the_connection_that_the_agent_has_to_the_broker(tmp_path):
    port = free_port()
    keys = {"host": "127.0.0.1", "port": port, "tls": False, "timeout_s": 3.0, "allow_no_subscriber": True}
    receiver = MqttReceiver(name="bus", **keys)
    with mosquitto(tmp_path, port):
        agent = receiver.forwarder(NOW)
        await agent.send(DELIVERY)
        connection, _ = agent._open
        trial = await try_receiver(receiver, DELIVERY, NOW)
        assert trial.handed_over and steps(trial) == [("DNS", True), ("TCP", True), ("message", True)]
        await agent.send(DELIVERY)
        assert agent._open[0] is connection and not connection.closed.done()
        await agent.close()
