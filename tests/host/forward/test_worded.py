"""The text for a receiver's reader is made when it is first given the message, and is the same at every resend."""

import itertools
import json

import pytest

from host_agent.clock import RealClock
from host_agent.errors import StoreFull
from host_agent.forward.delivery import Delivered, Delivery, RetryAfter
from host_agent.forward.worker import Worker
from host_agent.store import outbox
from host_agent.store.db import Store
from tests.host.forward.conftest import rows, running, until

GONE = RetryAfter("no route", was_reached=False, after_s=0.05)


class Takes:
    """A receiver that answers as told, and keeps what it was given."""

    name, accept_simulated = "w", True

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.given: list[tuple[str, str]] = []

    async def send(self, delivery):
        answer = self.answers.pop(0) if self.answers else Delivered("taken")
        if answer is not GONE:
            self.given.append((delivery.event_key, json.loads(delivery.body)["text"]))
        return answer

    async def close(self):
        pass


class Words:
    """Makes another text each time."""

    def __init__(self) -> None:
        self.number = itertools.count(1)

    def __call__(self, payload):
        return json.dumps({**json.loads(payload), "text": f"text {next(self.number)}"})


def add(store, key, priority=2):
    row = outbox.Addressed("w", key, None, priority, False, json.dumps({"key": key, "text": "as queued"}))
    store.write_now(lambda tx: outbox.add_delivery(tx, row, 0))


def kept(store):
    return {one.event_key: json.loads(one.payload)["text"] for one in store.read_now(outbox.messages)}


@pytest.mark.parametrize("refusal", ["HTTP 500", "time-out"])
async def test_every_resend_has_the_text_of_the_first(store, refusal):
    receiver = Takes(*[RetryAfter(refusal, after_s=0.05)] * 3)
    add(store, "a")
    async with running(store, receiver, word=Words()):
        await until(lambda: rows(store)["a"][0] == "delivered")
    assert receiver.given == [("a", "text 1")] * 4 and kept(store) == {"a": "text 1"}


async def test_a_text_that_nobody_was_given_is_made_anew(store):
    """What waits while a receiver is away is told with its age at last."""
    receiver = Takes(GONE, GONE, RetryAfter("HTTP 500", after_s=0.05), GONE)
    add(store, "a")
    async with running(store, receiver, word=Words()):
        await until(lambda: rows(store)["a"][0] == "delivered")
    assert receiver.given == [("a", "text 3")] * 2, "given once, it stays, whoever is away after that"


async def test_after_a_kill_in_the_middle_of_an_attempt_the_text_is_the_same(tmp_path):
    class Killed(BaseException):
        pass

    class Dies(Takes):
        async def send(self, delivery):
            await super().send(delivery)
            raise Killed

    add_to, words = tmp_path / "c.db", Words()
    with Store(add_to) as store:
        add(store, "a")
        first = Dies()
        worker = Worker(store, first, retry_first_s=0.05, retry_cap_s=1, word=words)
        with pytest.raises(Killed):
            await worker.run()
    with Store(add_to) as store:
        second = Takes()
        async with running(store, second, word=words):
            await until(lambda: rows(store)["a"][0] == "delivered")
    assert first.given == second.given == [("a", "text 1")]


async def test_a_disk_that_is_full_delays_no_message_and_changes_no_text(store, monkeypatch):
    receiver = Takes(RetryAfter("HTTP 500", after_s=0.05), RetryAfter("HTTP 500", after_s=0.05))
    is_full = [True, True]

    def hand(*arguments):
        if is_full and is_full.pop():
            raise StoreFull("the disk is full")
        original(*arguments)

    original = outbox.hand
    monkeypatch.setattr(outbox, "hand", hand)
    add(store, "a")
    async with running(store, receiver, word=Words()):
        await until(lambda: rows(store)["a"][0] == "delivered")
    assert receiver.given == [("a", "text 1")] * 3 and kept(store) == {"a": "text 1"}


async def test_what_no_store_holds_is_worded_once_too(store):
    receiver = Takes(RetryAfter("HTTP 500", after_s=0.05), GONE)
    async with running(store, receiver, word=Words()) as worker:
        worker.offer(3, Delivery("m", b'{"key": "m", "text": "from memory"}'))
        await until(lambda: len(receiver.given) == 2)
    assert len({text for _, text in receiver.given}) == 1


async def test_words_that_cannot_be_made_delay_nothing(store):
    def breaks(payload):
        raise ZeroDivisionError

    receiver = Takes()
    add(store, "a")
    async with running(store, receiver, word=breaks):
        await until(lambda: rows(store)["a"][0] == "delivered")
    assert receiver.given == [("a", "as queued")]


async def test_what_was_given_before_the_upgrade_keeps_its_text(store):
    """A row with attempts of an earlier version has no mark of its own: the migration gives it one."""
    receiver = Takes()
    add(store, "a")
    store.write_now(lambda tx: tx.execute("UPDATE outbox SET attempts = 1, handed_utc_ms = created_utc_ms"))
    async with running(store, receiver, word=Words(), clock=RealClock()):
        await until(lambda: rows(store)["a"][0] == "delivered")
    assert receiver.given == [("a", "as queued")]
