"""Mail against a real SMTP server: the answer for each recipient counts, and the mail reads like the event."""

import asyncio
import json

import pytest
from pydantic import ValidationError

from host_agent.forward.delivery import Delivered, Delivery, Rejected, RetryAfter
from host_agent.forward.forms.examples import EXAMPLES
from host_agent.forward.kinds.mail import MailReceiver
from tests.fakes.certificates import Authority
from tests.fakes.fake_mail import FakeMail

WARD, CALL, HOME = "ward-7@example.org", "on-call@example.org", "home@example.org"
EVENT = EXAMPLES[0]
KEYS = {"name": "m", "server": "127.0.0.1", "security": "none", "sender": "cytowatch@example.org",
        "recipients": (WARD, CALL, HOME), "timeout_s": 60.0}  # fmt: skip


def delivery(event=EVENT, message_id=None):
    return Delivery(message_id or event["key"], json.dumps(event).encode())


@pytest.fixture
async def server():
    async with FakeMail() as fake:
        yield fake


def mail_to(server, **change):
    return MailReceiver(**{**KEYS, "port": server.port, **change}).forwarder(lambda: 1_700_000_000_000)


async def test_a_mail_is_taken_for_all_and_reads_like_the_event(server):
    assert await mail_to(server).send(delivery()) == Delivered("for 3 recipients: 250 queued as 4711")
    (mail,) = server.mails
    assert mail.recipients == [WARD, CALL, HOME]
    assert mail.message["subject"] == 'URGENT 03:07, JS-60 (Bed "3"): oxygen 86 %.'
    plain, page = mail.message.iter_parts()
    assert plain.get_content().strip() == EVENT["text"]
    assert 'href="tel:5550100"' in page.get_content() and "(Bed &quot;3&quot;)" in page.get_content()
    assert (
        mail.message["message-id"] == f"<{EVENT['key']}@example.org>" and mail.message["references"] is None
    )
    assert (mail.message["importance"], mail.message["auto-submitted"]) == ("high", "auto-generated")
    assert mail.raw.isascii() and max(map(len, mail.raw.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("event", EXAMPLES)
async def test_every_kind_and_stage_is_a_mail(server, event):
    for text in (event["text"], "ä 🩺\r\nBcc: evil@example.org " * 300, "x" * 3000, ".\n.\n"):
        assert isinstance(await mail_to(server).send(delivery({**event, "text": text}, "k")), Delivered)
        message = server.mails[-1].message
        assert message["bcc"] is None and len(message["subject"]) <= 150 and "\n" not in message["subject"]
        assert message.get_body(("plain",)).get_content().strip()


async def test_later_messages_of_an_event_are_in_its_thread(server):
    mail = mail_to(server)
    key = EVENT["key"]
    for message_id, stage in ((key, "raised"), (f"{key}-reminder-1", "reminder"), (f"{key}-over", "over")):
        await mail.send(delivery({**EVENT, "stage": stage}, message_id))
    first, *later = (one.message for one in server.mails)
    assert [one["references"] for one in later] == [first["message-id"]] * 2
    assert [one["in-reply-to"] for one in later] == [first["message-id"]] * 2
    assert len({one["message-id"] for one in (first, *later)}) == 3 and later[1]["importance"] is None


async def test_a_resend_is_the_same_mail(server):
    for _ in range(2):
        await mail_to(server).send(delivery())
    assert server.mails[0].raw == server.mails[1].raw


async def test_one_of_three_who_is_refused_is_named_and_the_others_have_it(server):
    server.answers[CALL] = "550 5.1.1 no such mailbox"
    outcome = await mail_to(server).send(delivery())
    assert outcome == Rejected(
        f"the mail server refuses {CALL}: 550 5.1.1 no such mailbox. Handed over for 2 others"
    )
    assert server.mails[0].recipients == [WARD, HOME]


@pytest.mark.parametrize(
    "answer", ["451 try later", "452 full", "552 mailbox full", "554 5.7.1 relay denied"]
)
async def test_whoever_may_get_it_later_alone_is_asked_again(server, answer):
    server.answers[CALL] = answer
    mail = mail_to(server)
    outcome = await mail.send(delivery())
    assert (
        isinstance(outcome, RetryAfter) and f"{CALL}: {answer}" in outcome.reason and not outcome.whole_target
    )
    other = await mail.send(delivery({**EVENT, "key": "other"}))
    assert isinstance(other, RetryAfter), "what one event has reached is kept apart from another one"
    server.answers.clear()
    server.asked.clear()
    assert isinstance(await mail.send(delivery()), Delivered)
    assert server.asked == [CALL] and server.mails[-1].recipients == [CALL]
    server.asked.clear()
    await mail.send(delivery())
    assert server.asked == [WARD, CALL, HOME], "a delivery that somebody asks for again goes to all"


async def test_all_who_are_refused_are_named_and_no_mail_is_sent(server):
    server.answers = dict.fromkeys((WARD, CALL, HOME), "550 no")
    outcome = await mail_to(server).send(delivery())
    assert isinstance(outcome, Rejected) and all(one in outcome.reason for one in (WARD, CALL, HOME))
    assert server.mails == []


@pytest.mark.parametrize("step, answer, kind, words", [
    ("MAIL", "553 sender not allowed", RetryAfter, "553 sender not allowed"),
    ("MAIL", "421 closing", RetryAfter, "421 closing"),
    ("DATA", "554 5.6.0 content", Rejected, "refuses this mail: 554 5.6.0 content"),
    ("DATA", "554 5.7.1 spam", RetryAfter, "554 5.7.1 spam"),
    ("DATA", "451 later", RetryAfter, "451 later"),
    (CALL, "421 closing", RetryAfter, "421 closing"),
])  # fmt: skip
async def test_each_refusal_has_its_outcome(server, step, answer, kind, words):
    server.answers[step] = answer
    outcome = await mail_to(server).send(delivery())
    assert isinstance(outcome, kind) and words in outcome.reason


@pytest.mark.parametrize("step", ["MAIL", CALL, "DATA"])
async def test_a_server_that_hangs_is_left_at_the_deadline(server, step):
    server.answers[step] = "hang"
    async with asyncio.timeout(3):
        outcome = await mail_to(server, timeout_s=0.3).send(delivery())
    assert isinstance(outcome, RetryAfter) and outcome.reason.startswith("no answer within 0.3 s")


async def test_a_mail_that_may_have_been_taken_late_is_sent_again_as_the_same(server):
    server.stalls = True
    mail = mail_to(server, timeout_s=0.4)
    outcome = await mail.send(delivery())
    assert isinstance(outcome, RetryAfter) and "it may have taken the mail" in outcome.reason
    server.stalls = False
    assert isinstance(await mail.send(delivery()), Delivered)
    assert len(server.mails) == 2 and server.mails[0].raw == server.mails[1].raw


async def test_a_server_that_leaves_with_the_mail_may_have_taken_it():
    async def hears(reader, writer):
        writer.write(b"220 x\r\n")
        while not (await reader.readline()).startswith(b"DATA"):
            writer.write(b"250 x\r\n")
        writer.write(b"354 go\r\n")
        await reader.readuntil(b"\r\n.\r\n")
        writer.close()

    listening = await asyncio.start_server(hears, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    outcome = await MailReceiver(**KEYS, port=port).forwarder(lambda: 0).send(delivery())
    assert isinstance(outcome, RetryAfter) and "it may have taken the mail" in outcome.reason
    listening.close()


async def test_what_is_no_mail_server_is_not_reached():
    async def serve(reader, writer):
        writer.write(answers.pop(0))
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    answers = [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"220 hello\r\n", b"\x00" * 9000 + b"\r\n", b"554 no\r\n"]
    while answers:
        outcome = await MailReceiver(**KEYS, port=port).forwarder(lambda: 0).send(delivery())
        assert isinstance(outcome, RetryAfter), outcome
    listening.close()
    await listening.wait_closed()
    assert isinstance(await MailReceiver(**KEYS, port=port).forwarder(lambda: 0).send(delivery()), RetryAfter)


async def test_nothing_is_said_before_the_connection_is_encrypted(tmp_path, server, monkeypatch):
    authority = Authority(tmp_path)
    monkeypatch.setenv("MAIL_PASSWORD", "geheim")
    secure = {"user": "u", "password_env": "MAIL_PASSWORD", "ca_file": str(authority.ca_file)}
    stripped = await mail_to(server, security="starttls", **secure).send(delivery())
    assert isinstance(stripped, RetryAfter) and "STARTTLS" in stripped.reason.upper() and server.asked == []
    for settings in ({"starttls": True}, {"implicit": True}):
        security = "starttls" if "starttls" in settings else "tls"
        async with FakeMail(authority.server(), password="geheim", **settings) as good:
            assert isinstance(await mail_to(good, security=security, **secure).send(delivery()), Delivered)
            untrusted = await mail_to(good, security=security, **{**secure, "ca_file": None}).send(delivery())
            assert isinstance(untrusted, RetryAfter) and "certificate" in untrusted.reason.lower()
            monkeypatch.setenv("MAIL_PASSWORD", "falsch")
            wrong = await mail_to(good, security=security, **secure).send(delivery())
            assert isinstance(wrong, RetryAfter) and "535" in wrong.reason and wrong.whole_target
            monkeypatch.setenv("MAIL_PASSWORD", "geheim")
            assert len(good.mails) == 1
        async with FakeMail(authority.server(days=-1), **settings) as ended:
            outcome = await mail_to(ended, security=security, ca_file=str(authority.ca_file)).send(delivery())
            assert isinstance(outcome, RetryAfter) and ended.asked == []


@pytest.mark.parametrize("change, words", [
    ({"server": "mail.example.org"}, "security = starttls or tls"),
    ({"server": "mail example"}, "the name of a machine"),
    ({"server": "mail.example.org:25"}, "the port has its own key"),
    ({"server": "smtp://mail.example.org"}, "the name of a machine"),
    ({"server": ""}, "the name of a machine"),
    ({"server": "mail.example.org."}, "the name of a machine"),
    ({"user": "u"}, "user together with password_file"),
    ({"password_env": "P"}, "user together with password_file"),
    ({"recipients": ()}, "at least 1"),
    ({"recipients": ("a@b.org", "A@B.org")}, "each recipient once"),
    *(({"recipients": (one,)}, "a mail address such as")
      for one in ("x", "a@", "@b", "a b@c.org", "a@b.org, c@d.org", "A <a@b.org>", "a@b..org",
                  ".a@b.org", "a@b.org\n")),
    ({"sender": "Ward"}, "a mail address such as"),
    ({"port": 0}, "greater than or equal to 1"),
])  # fmt: skip
def test_what_can_never_work_is_refused_at_load(change, words):
    with pytest.raises(ValidationError) as error:
        MailReceiver(**{**KEYS, **change})
    assert words in str(error.value)
