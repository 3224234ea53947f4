"""What people send back over a receiver: understood, answered, bounded, and never an exception."""

import asyncio
import contextlib
import json

import pytest

from host_agent.errors import StoreError
from host_agent.forward.delivery import NotConnectedError, Reply, ReplyAnswer
from host_agent.forward.replies import FAILED, KEPT, NOT_UNDERSTOOD, TOO_MANY, Replies, read
from tests.host.forward.conftest import until

CODE = "abcdefghijklmnopqrstuvwx"
GOOD = json.dumps({"token": CODE, "by": "Maria"}).encode()


class Desk:
    """A reader of replies whose answers and clock are the test's; `given` is what the agent was asked."""

    def __init__(self, answer=None):
        self.given, self.answers, self.now_s, self.fails, self.answer = [], [], 0.0, 0, answer
        self.replies = Replies("bus", "MQTT receiver bus", self.take, self.send, lambda: self.now_s)

    async def take(self, reply):
        self.given.append(reply)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or ReplyAnswer(reply is not None and reply.token == CODE, "said")

    async def send(self, body):
        if self.fails:
            self.fails -= 1
            raise NotConnectedError("gone")
        self.answers.append(json.loads(body))

    async def all(self, *bodies, is_kept=False):
        task = asyncio.ensure_future(self.replies.run())
        for body in bodies:
            before = len(self.answers)
            self.replies.put(body, is_kept)
            await until(lambda before=before: len(self.answers) > before)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return self.answers


async def test_a_reply_is_answered_without_its_code():
    desk = Desk()
    assert await desk.all(GOOD) == [{"token": "abcd", "accepted": True, "text": "said"}]
    assert desk.given == [Reply(CODE, "Maria", "MQTT receiver bus", None)]


NO_REPLIES = {
    "nothing": b"", "the code alone": CODE.encode(), "no text": b"\xff\xfe\x00", "a list": b"[]", "null": b"null",
    "a number": b"1" * 1000, "deep": b"[" * 1000, "cut": GOOD[:-3], "too long": GOOD + b" " * 1024,
    "much too long": b"x" * 60_000, "no code": b'{"by": "Maria"}', "code a number": b'{"token": 1, "by": "M"}',
    "code too long": json.dumps({"token": "a" * 65, "by": "M"}).encode(),
    "code hidden": json.dumps({"token": "ab\u202ecd", "by": "M"}).encode(),
    "half a pair": b'{"token": "\\ud800", "by": "M"}',
}  # fmt: skip


@pytest.mark.parametrize("case", NO_REPLIES)
async def test_what_is_no_reply_is_answered_and_counted(case):
    desk = Desk()
    assert await desk.all(NO_REPLIES[case]) == [{"token": "", "accepted": False, "text": NOT_UNDERSTOOD}]
    assert desk.given == [None]


@pytest.mark.parametrize("by", [1, None, "M" * 65, "Ma\nria", "Ma\u202eria", "\ud800", ["Maria"], {}])
async def test_a_name_that_hides_something_accepts_nothing(by):
    said = await Desk().all(json.dumps({"token": CODE, "by": by}).encode())
    assert said == [{"token": "abcd", "accepted": False, "text": NOT_UNDERSTOOD}]


def test_a_name_may_be_absent_and_an_event_given():
    assert read(json.dumps({"token": CODE, "key": "k1"}).encode(), "x") == (
        "abcd",
        Reply(CODE, "", "x", "k1"),
    )
    assert read(json.dumps({"token": CODE, "key": 1}).encode(), "x") == ("abcd", None)
    assert read(json.dumps({"token": "a<b>c", "by": "José Ä"}).encode(), "x")[0] == "ab"


async def test_a_retained_reply_accepts_nothing():
    desk = Desk()
    assert (await desk.all(GOOD, is_kept=True))[0] == {"token": "abcd", "accepted": False, "text": KEPT}
    assert desk.given == [None]


async def test_a_flood_of_wrong_codes_is_not_looked_at_until_the_minute_is_over():
    desk, wrong = Desk(), json.dumps({"token": "z" * 24, "by": "M"}).encode()
    said = await desk.all(GOOD, *[wrong] * 25, GOOD)
    assert len(desk.given) == 21
    assert [one["text"] for one in said[21:]] == [TOO_MANY] * 6
    assert not said[-1]["accepted"]
    desk.now_s = 60.0
    assert (await desk.all(GOOD))[-1]["accepted"]


async def test_more_than_can_wait_is_dropped_and_told(caplog):
    desk = Desk()
    for _ in range(100):
        desk.replies.put(GOOD, False)
    assert caplog.text.count("too many replies at once") == 1, "a flood of replies is none in the log"
    await desk.all(GOOD)
    assert len(desk.given) <= 33


async def test_a_store_that_fails_and_an_answer_that_is_lost_end_nothing(caplog):
    desk = Desk(StoreError("disk full"))
    assert (await desk.all(*[GOOD] * 25))[-1] == {"token": "abcd", "accepted": False, "text": FAILED}
    assert "disk full" in caplog.text
    desk = Desk()
    desk.fails = 1
    desk.replies.put(GOOD, False)
    await desk.all(GOOD)
    assert len(desk.given) == 2
    assert "a reply was not answered: gone" in caplog.text
