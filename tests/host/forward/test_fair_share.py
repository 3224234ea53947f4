"""One wearable's flood delays no other, in the store and in memory, and nothing of it is lost without a word."""

import asyncio
import logging

import pytest

from host_agent.errors import StoreFull
from host_agent.forward.delivery import Delivered, Delivery, Rejected, RetryAfter
from host_agent.forward.share import Turns, is_repetition
from host_agent.forward.waiting import Offer, Waiting
from host_agent.store import outbox
from tests.host.forward.conftest import rows, running, until


class Scripted:
    """A forwarder that does what `script` says of each event key; everything else is delivered."""

    name, accept_simulated = "w", False

    def __init__(self, script=None):
        self.script = script or {}
        self.sent = []

    async def send(self, delivery):
        self.sent.append(delivery.event_key)
        done = self.script.get(delivery.event_key)
        if isinstance(done, BaseException):
            raise done
        return await done() if callable(done) else done or Delivered("x")

    async def close(self):
        pass


def add(store, device, key, priority):
    row = outbox.Addressed("w", key, None, priority, False, "{}", "", device, f"alarm-{key}", 3)
    store.write_now(lambda tx: outbox.add_delivery(tx, row, 0))


async def test_a_high_of_one_wearable_is_sent_next_behind_a_thousand_of_another(store):
    for number in range(200):
        add(store, 1, f"flood-{number}", 3)
    add(store, 2, "real", 3)
    add(store, 3, "low", 1)
    forwarder = Scripted()
    async with running(store, forwarder):
        await until(lambda: len(forwarder.sent) >= 4)
    assert "real" in forwarder.sent[:2] and "low" in forwarder.sent[:5]


@pytest.mark.parametrize(
    "fault, reason",
    [
        (ValueError("https://h.example/t0ken\r\n\x1b[2J is bad"), "ValueError: https://h.example/… [2J is bad"),
        (UnicodeEncodeError("ascii", "ü", 0, 1, "no"), "UnicodeEncodeError: 'ascii' codec"),
        (RuntimeError(), "RuntimeError:"), (asyncio.CancelledError(), "the attempt was broken off"),
        (RetryAfter("again", after_s=float("nan")), "again"), ("nonsense", "the forwarder answered with str"),
    ],
)  # fmt: skip
async def test_whatever_a_forwarder_does_is_a_counted_attempt_with_its_reason(store, caplog, fault, reason):
    add(store, 1, "bad", 3)
    add(store, 1, "good", 2)
    forwarder = Scripted({"bad": fault})
    with caplog.at_level(logging.INFO):
        async with running(store, forwarder):
            await until(lambda: rows(store)["good"][0] == "delivered" and rows(store)["bad"][1] >= 2)
    state, _, error = rows(store)["bad"]
    assert state == "pending" and error.startswith(reason) and error.isprintable()
    assert "Traceback" not in caplog.text and "t0ken" not in caplog.text


async def test_a_forwarder_that_never_answers_is_an_attempt_that_failed(store):
    add(store, 1, "bad", 3)
    add(store, 2, "good", 3)
    async with running(store, Scripted({"bad": asyncio.Event().wait}), attempt_max_s=0.05):
        await until(lambda: rows(store)["bad"][1] >= 2 and rows(store)["good"][0] == "delivered")
    assert rows(store)["bad"][2] == "no answer within 0.05 s"


def test_nobody_is_served_twice_in_a_row_while_another_waits():
    turns = Turns()
    served = [turns.choose({"a": 3, "b": 1}) for _ in range(4)]
    assert served == ["a", "b", "a", "b"]
    assert turns.choose({"a": 3, "b": 1, "c": 3}) == "c"
    assert turns.choose({"a": 3}) == turns.choose({"a": 3}) == "a"


def test_the_first_of_a_kind_is_never_only_counted():
    assert not is_repetition(0, 10**6, 10**6) and not is_repetition(9, 50, 50)
    assert is_repetition(10, 10, 0) and is_repetition(1, 100, 0) and is_repetition(1, 1, 300)


class Memory:
    """`Waiting` by a clock of its own."""

    def __init__(self):
        self.now_ms = 10**6
        self.waiting = Waiting(lambda: self.now_ms)

    def offer(self, share, key, kind, priority=3):
        def together(number, first_ms, last_ms):
            return Delivery(f"{share}-{kind}-{number}", b"")

        self.waiting.add(Offer(priority, Delivery(key, b""), share, kind, together))

    def drain(self):
        sent = []
        while (item := self.waiting.next()) is not None:
            self.waiting.done(item)
            sent.append(item.offer.delivery.event_key)
        return sent


def test_in_memory_a_flood_is_bounded_counted_and_told_together():
    memory = Memory()
    for number in range(1000):
        memory.offer("a", f"x{number}", "alarm-3")
        memory.offer("a", f"x{number}", "alarm-3")  # the same record comes again at each retry of the store
    memory.offer("a", "fever", "alarm-1")
    memory.offer("b", "real", "alarm-3")
    assert len(memory.waiting.items()) == 12
    sent = memory.drain()
    assert "real" in sent[:2] and "fever" in sent and len(sent) == 12
    memory.now_ms -= 10**5
    assert memory.waiting.due_in_ms() == 0, "the clock was set back"
    memory.now_ms += 10**5 + 10_001
    assert memory.drain() == ["a-alarm-3-990"]


def test_in_memory_a_rise_above_the_flood_is_told_by_itself():
    memory = Memory()
    for number in range(50):
        memory.offer("a", f"m{number}", "alarm-3", priority=2)
    memory.offer("a", "high", "alarm-3", priority=3)
    assert memory.drain()[0] == "high"


async def test_a_refusal_from_memory_is_remembered_until_a_delivery_of_its_alarm(store):
    forwarder = Scripted({"a": Rejected("HTTP 400")})
    async with running(store, forwarder) as worker:
        worker.offer(3, Delivery("a", b""), "c0ffee", "alarm-3")
        await until(lambda: worker.undelivered() and worker.undelivered()[0].is_refused)
        assert worker.undelivered()[0].reason == "HTTP 400"
        worker.offer(3, Delivery("other", b""), "c0ffee", "alarm-1")
        worker.offer(1, Delivery("lower", b""), "c0ffee", "alarm-3")
        await until(lambda: worker.counters.delivered == 2)
        assert [one.kind for one in worker.undelivered()] == ["alarm-3"]
        worker.offer(3, Delivery("b", b""), "c0ffee", "alarm-3")
        await until(lambda: not worker.undelivered())


async def test_a_refusal_from_memory_ends_when_its_row_or_a_retry_is_delivered(store):
    forwarder = Scripted({"a": Rejected("HTTP 400"), "b": Rejected("HTTP 400")})
    async with running(store, forwarder) as worker:
        worker.offer(3, Delivery("a", b""), "c0ffee", "alarm-3")
        worker.offer(3, Delivery("b", b""), "c0ffee", "alarm-1")
        await until(lambda: worker.counters.refused == 2)
        forwarder.script.clear()
        worker.retry_now()
        await until(lambda: not worker.undelivered())
        add(store, 1, "a", 3)
        worker.wake()
        await until(lambda: rows(store)["a"][0] == "delivered")
    assert forwarder.sent.count("a") == 2


async def test_an_event_in_memory_that_fails_blocks_no_stored_alarm(store):
    async with running(store, Scripted({"mem": RetryAfter("HTTP 500", whole_target=False)})) as worker:
        worker.offer(1, Delivery("mem", b""), "c0ffee", "alarm-1")
        await until(lambda: worker.last_error == "HTTP 500")
        add(store, 2, "high", 3)
        await until(lambda: rows(store)["high"][0] == "delivered")
        assert [one.kind for one in worker.undelivered()] == ["alarm-1"]


async def test_a_disk_that_takes_nothing_holds_back_no_stored_alarm_and_none_is_sent_twice(
    store, monkeypatch
):
    for number in range(4):
        add(store, 1, f"high-{number}", 3)
    noted, is_full = outbox.mark_delivered, True

    def failing(*args):
        if is_full:
            raise StoreFull("the disk is full")
        noted(*args)

    monkeypatch.setattr(outbox, "mark_delivered", failing)
    forwarder = Scripted()
    async with running(store, forwarder) as worker:
        await until(lambda: len(forwarder.sent) == 4)
        is_full = False
        worker.wake()
        await until(lambda: {state for state, _, _ in rows(store).values()} == {"delivered"})
    assert len(forwarder.sent) == 4
