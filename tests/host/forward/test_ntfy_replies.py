"""A button at ntfy that accepts: its message, the topic that is read, and what may come there."""

import asyncio
import contextlib
import json

import pytest

from host_agent.forward.delivery import Delivered, Delivery, Reply, ReplyAnswer
from host_agent.forward.kinds.webhook import WebhookReceiver
from host_agent.forward.ntfy_replies import FROM_AHEAD, TOO_OLD
from host_agent.forward.replies import NOT_UNDERSTOOD
from tests.fakes.fake_ntfy import FakeNtfy
from tests.host.forward.conftest import until

CODE = "abcdefghijklmnopqrstuvwx"
EVENT = {
    "key": "k-1", "stage": "raised", "priority": "HIGH", "text": "URGENT 03:07, JS-60: oxygen 86 %. Look now.",
    "call": {"care_team": "555-0100", "emergency": "112"}, "accept": {"token": CODE, "until": "2027-01-01T00:00:00Z"},
    "to_accept": "Ich kümmere mich darum",
}  # fmt: skip
GOOD = json.dumps({"token": CODE, "key": "k-1"})


def delivery(**change):
    return Delivery("k-1", json.dumps({**EVENT, **change}).encode())


@contextlib.asynccontextmanager
async def phone(server, given, answer=None, **keys):
    """A receiver whose topic is read; `given` is what the agent was asked."""
    receiver = WebhookReceiver(
        name="anna",
        form="ntfy",
        url=f"{server.url}/alarms",
        reply_topic="replies",
        accept_simulated=True,
        **keys,
    )
    hook = receiver.forwarder(lambda: 0)

    async def take(reply):
        given.append(reply)
        return answer or ReplyAnswer(reply is not None, "said")

    hook.take_replies(take)
    task = asyncio.ensure_future(hook.run())
    try:
        await until(lambda: server.reads)
        yield hook
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await hook.close()


async def test_the_button_of_a_message_brings_its_code_back(monkeypatch):
    monkeypatch.setenv("TOKEN", "tk_of_the_laptop")
    given = []
    async with (
        FakeNtfy("tk_of_the_laptop", ("replies",)) as server,
        phone(server, given, token_env="TOKEN") as hook,
    ):
        assert await hook.send(delivery()) == Delivered("HTTP 200")
        button, *numbers = server.topics["alarms"][0]["actions"]
        assert (button["label"], button["url"]) == (
            "Ich kümmere mich darum",
            f"{server.url}/replies",
        ) and len(numbers) == 2
        assert "tk_of" not in json.dumps(server.topics), "whoever may read the messages gets no key"
        await server.press(button)
        await until(lambda: given)
        assert given == [Reply(CODE, "", "ntfy receiver anna", "k-1")]


@pytest.mark.parametrize(
    "change", [{"stage": "accepted"}, {"stage": "over"}, {"accept": None}, {"accept": "x"}]
)
async def test_a_message_by_which_nobody_can_accept_has_no_such_button(change):
    async with FakeNtfy() as server, phone(server, []) as hook:
        await hook.send(delivery(**change))
        assert [one["action"] for one in server.topics["alarms"][0]["actions"]] == ["view", "view"]


@pytest.mark.parametrize("ahead_s", [0, 86_400, -86_400])
async def test_the_age_of_a_press_counts_by_the_clock_of_the_server(ahead_s):
    given = []
    async with FakeNtfy() as server:
        server.now_s += ahead_s
        await server.publish("replies", {"message": GOOD}, ago_s=121)
        await server.publish("replies", {"message": GOOD}, ago_s=60)
        async with phone(server, given):
            await until(lambda: given)
            assert given == [Reply(CODE, "", "ntfy receiver anna", "k-1")]
            given.clear()
            await server.publish("replies", {"message": GOOD}, ago_s=130)
            await server.publish("replies", {"message": GOOD}, ago_s=-600)
            await until(lambda: len(server.topics.get("alarms", [])) == 2)
            assert given == [None, None], "counted, and nothing accepted"
            assert [one["message"] for one in server.topics["alarms"]] == [TOO_OLD, FROM_AHEAD]


async def test_what_is_pressed_while_the_server_is_away_counts_once_when_it_is_back():
    given = []
    async with FakeNtfy() as server, phone(server, given):
        await server.publish("replies", {"message": GOOD})
        await until(lambda: len(given) == 1)
        await server.stop()
        await server.publish("replies", {"message": GOOD})
        await server.start()
        await until(lambda: len(given) == 2)
        assert server.reads == ["120s", "m0000"], "from where it ended"


@pytest.mark.parametrize(
    "body", ["", "{", "accept", "[]", '{"token": 1}', "x" * 5000, '{"token": "' + "a" * 65 + '"}']
)
async def test_what_is_no_reply_is_answered_where_the_alarms_are(body):
    given = []
    async with FakeNtfy() as server, phone(server, given):
        await server.publish("replies", {"message": body})
        await until(lambda: server.topics.get("alarms"))
        assert server.topics["alarms"][0]["message"] == NOT_UNDERSTOOD and given == [None]


async def test_a_code_that_was_used_is_answered_by_nothing_because_all_were_told_who_accepted():
    given = []
    async with FakeNtfy() as server, phone(server, given, ReplyAnswer(False, "This code was used.", "used")):
        await server.publish("replies", {"message": GOOD})
        await server.publish("replies", {"message": GOOD})
        await until(lambda: len(given) == 2)
    assert "alarms" not in server.topics


@pytest.mark.parametrize("garbage", [
    b"\xff\xfe\n", b"null\n", b"[" * 5000 + b"\n", b"x" * 100_000 + b"\n", b'{"event":"message","message":"x"}\n',
    b'{"event":"open","time":' + b"9" * 400 + b"}\n", b'{"event":"message","time":"now","message":"x"}\n',
    b'{"event":"message","time":1800000000,"message":{}}\n', b'{"event":"keepalive","time":1800000000}\n\n\n',
])  # fmt: skip
async def test_a_server_that_says_something_else_ends_nothing(garbage):
    given = []
    async with FakeNtfy() as server:
        server.garbage = [garbage]
        async with phone(server, given):
            await server.publish("replies", {"message": GOOD})
            await until(lambda: given)
            assert given == [Reply(CODE, "", "ntfy receiver anna", "k-1")]


async def test_a_topic_that_may_not_be_read_is_said_in_the_log_once_and_messages_still_go_out(
    caplog, monkeypatch
):
    monkeypatch.setattr("host_agent.forward.ntfy_replies._FIRST_S", 0.01)
    monkeypatch.setattr("host_agent.forward.ntfy_replies._MAX_S", 0.01)
    async with FakeNtfy("tk_secret", ("alarms",)) as server, phone(server, []) as hook:
        await until(lambda: len(server.reads) > 3)
        assert await hook.send(delivery()) == Delivered("HTTP 200")
    said = [one.getMessage() for one in caplog.records if "nobody can accept" in one.getMessage()]
    assert said == ["target anna: nobody can accept by a button of ntfy until it is read again: HTTP 403"]


@pytest.mark.parametrize("change, words", [
    ({"form": "slack"}, "reply_topic with the form ntfy alone"),
    ({"reply_topic": "alarms"}, "another topic for reply_topic"),
    ({"reply_topic": "a/b"}, "string_pattern_mismatch"),
])  # fmt: skip
def test_a_reply_topic_that_cannot_work_is_refused(change, words):
    keys = {
        "name": "a",
        "form": "ntfy",
        "url": "https://ntfy.example.org/alarms",
        "reply_topic": "replies",
        **change,
    }
    with pytest.raises(ValueError, match=words):
        WebhookReceiver(**keys)
