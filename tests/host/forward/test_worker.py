"""The delivery worker over a real database and a real receiver: order, back-off, restarts, nothing lost."""

import asyncio
import contextlib
import itertools
import json

import pytest

from host_agent.clock import RealClock
from host_agent.errors import StoreFull
from host_agent.forward.delivery import Delivered, Delivery, RetryAfter
from host_agent.forward.kinds.webhook import Webhook
from host_agent.forward.worker import Worker
from host_agent.store import outbox
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_http import FakeReceiver, Reply
from tests.host.forward.conftest import rows, running, until

SECRET = b"0123456789abcdef"


@pytest.fixture
async def receiver():
    async with FakeReceiver() as fake:
        yield fake


def add(store, key, priority=2, target="w", next_try_utc_ms=0):
    store.write_now(
        lambda tx: tx.execute(
            "INSERT INTO outbox (target, event_key, priority, simulated, payload, state, created_utc_ms,"
            " next_try_utc_ms) VALUES (?, ?, ?, 0, ?, 'pending', 0, ?)",
            (target, key, priority, json.dumps({"key": key}), next_try_utc_ms),
        )
    )


def webhook(receiver, timeout_s=0.5):
    return Webhook(
        "w", receiver.url, SECRET, timeout_s=timeout_s, accept_simulated=False, utc_ms=RealClock().utc_ms
    )


def keys(receiver):
    return [request.headers["idempotency-key"] for request in receiver.received]


async def test_most_urgent_first_then_oldest(store, receiver):
    for key, priority in [("a", 1), ("b", 3), ("c", 2), ("d", 3)]:
        add(store, key, priority)
    async with running(store, webhook(receiver)):
        await receiver.wait_for(4)
    assert keys(receiver) == ["b", "d", "c", "a"]


async def test_rows_of_another_target_are_left_alone(store, receiver):
    add(store, "mine")
    add(store, "other", target="x")
    async with running(store, webhook(receiver)):
        await until(lambda: rows(store)["mine"][0] == "delivered")
    assert rows(store)["other"] == ("pending", 0, "") and keys(receiver) == ["mine"]


async def test_a_wake_delivers_at_once(store, receiver):
    async with running(store, webhook(receiver)) as worker:
        await asyncio.sleep(0.05)
        add(store, "a")
        worker.wake()
        await receiver.wait_for(1, timeout_s=1)


async def test_500_is_sent_again_with_the_same_key_and_bytes(store, receiver):
    receiver.replies = [Reply(500), Reply(500)]
    add(store, "a")
    async with running(store, webhook(receiver)):
        await until(lambda: rows(store)["a"][0] == "delivered")
    assert keys(receiver) == ["a", "a", "a"] and len({r.body for r in receiver.received}) == 1
    assert rows(store)["a"] == ("delivered", 3, "")


async def test_pauses_double_up_to_the_cap(store, receiver):
    receiver.default = Reply(503)
    add(store, "a")
    async with running(store, webhook(receiver), retry_first_s=0.05, retry_cap_s=0.2):
        await receiver.wait_for(6)
    times = [r.at_s for r in receiver.received]
    pauses = [b - a for a, b in itertools.pairwise(times)]
    for pause, expected in zip(pauses, [0.05, 0.1, 0.2, 0.2, 0.2], strict=True):
        assert pause >= expected * 0.9, pauses
    # without the cap the last three would be 0.2 + 0.4 + 0.8 s; a busy machine has half a second to add
    assert sum(pauses[2:]) < 1.1, pauses


async def test_retry_after_is_honoured_but_never_beyond_the_cap(store, receiver):
    receiver.replies = [Reply(429, {"Retry-After": "3600"})]
    add(store, "a")
    async with running(store, webhook(receiver), retry_cap_s=0.4):
        await receiver.wait_for(2, timeout_s=3)
    pause = receiver.received[1].at_s - receiver.received[0].at_s
    assert 0.36 <= pause <= 0.8


async def test_one_event_that_always_fails_does_not_hold_the_others(store, receiver):
    receiver.replies = [Reply(500)]
    add(store, "poison", priority=3)
    for i in range(3):
        add(store, f"e{i}", priority=1)
    async with running(store, webhook(receiver), retry_first_s=0.5):
        await until(lambda: sum(state == "delivered" for state, *_ in rows(store).values()) == 3)
        assert rows(store)["poison"] == ("pending", 1, "HTTP 500")


async def test_a_new_event_is_tried_at_once_though_the_target_is_paused(store, receiver):
    receiver.replies = [Reply(503)]
    add(store, "old")
    async with running(store, webhook(receiver), retry_first_s=30, retry_cap_s=60) as worker:
        await receiver.wait_for(1)
        await until(lambda: rows(store)["old"][1] == 1)
        add(store, "new", priority=3)
        worker.wake()
        await until(lambda: rows(store)["new"][0] == "delivered", timeout_s=2)


async def test_a_dead_target_is_not_hammered_by_its_backlog(store, receiver):
    receiver.default = Reply(503)
    for i in range(50):
        add(store, f"e{i}")
    async with running(store, webhook(receiver), retry_first_s=10, retry_cap_s=60):
        await asyncio.sleep(0.4)
    assert len(receiver.received) == 1


async def test_refused_rows_stay_with_their_reason_and_the_queue_goes_on(store, receiver):
    receiver.replies = [Reply(422)]
    add(store, "bad", priority=3)
    add(store, "good")
    async with running(store, webhook(receiver)) as worker:
        await until(lambda: rows(store)["good"][0] == "delivered")
        assert worker.counters == (1, 0, 1)
    assert rows(store)["bad"] == ("refused", 1, "HTTP 422: the receiver refuses this event")


async def test_a_redirect_stays_pending_with_advice_until_the_receiver_is_mended(store, receiver):
    receiver.replies = [Reply(302, {"Location": "http://127.0.0.1:1/"})]
    add(store, "a")
    async with running(store, webhook(receiver), retry_first_s=0.2):
        await until(lambda: rows(store)["a"][1] == 1)
        assert "redirect to http://127.0.0.1:1/ not followed" in rows(store)["a"][2]
        await until(lambda: rows(store)["a"][0] == "delivered")


async def test_a_hanging_receiver_then_a_good_one(store, receiver):
    receiver.replies = [Reply(hang=True)]
    add(store, "a")
    async with running(store, webhook(receiver, 0.2)):
        await until(lambda: rows(store)["a"][0] == "delivered")
    assert len(receiver.received) == 2


async def test_receiver_away_and_back_and_a_restart_between(store, receiver):
    await receiver.stop()
    for i in range(3):
        add(store, f"e{i}")
    async with running(store, webhook(receiver)):
        await until(lambda: any(attempts for _, attempts, _ in rows(store).values()))
    await receiver.start(receiver.port)
    async with running(store, webhook(receiver)):
        await until(lambda: all(state == "delivered" for state, *_ in rows(store).values()))
    assert sorted(keys(receiver)) == ["e0", "e1", "e2"]


async def test_after_an_outage_the_events_come_in_the_order_in_which_they_were_made(store, receiver):
    await receiver.stop()
    async with running(store, webhook(receiver)) as worker:
        for number in range(9):
            add(store, f"e{number}")
            worker.wake()
            # a new event lets the receiver be tried at once, in vain, and the oldest goes first
            await until(lambda: rows(store)["e0"][1] > number)  # noqa: B023
        assert worker.last_error.startswith("not reached: ")
        await receiver.start(receiver.port)
        await receiver.wait_for(9)
    assert keys(receiver) == [f"e{number}" for number in range(9)]


def test_who_does_not_answer_is_asked_again_within_seconds_and_who_refuses_at_the_longest_pause(store):
    hook = Webhook(
        "w", "http://127.0.0.1:1/", SECRET, timeout_s=1, accept_simulated=False, utc_ms=RealClock().utc_ms
    )
    worker = Worker(store, hook, retry_first_s=1, retry_cap_s=60)
    away, refuses = RetryAfter("not reached", was_reached=False), RetryAfter("HTTP 401")
    assert [worker._delay_s(away, attempts) for attempts in range(4)] == [1, 2, 3, 3]
    assert worker._delay_s(refuses, 20) == 60


async def test_a_row_planned_by_a_clock_since_set_back_is_due(store, receiver):
    add(store, "a", next_try_utc_ms=RealClock().utc_ms() + 10**10)
    async with running(store, webhook(receiver)):
        await receiver.wait_for(1, timeout_s=2)


class CountingForwarder:
    """Answers from a list and notes what it was asked."""

    name, accept_simulated = "w", False

    def __init__(self, outcomes=()):
        self.outcomes = list(outcomes)
        self.sent: list[str] = []

    async def send(self, delivery):
        self.sent.append(delivery.event_key)
        return self.outcomes.pop(0) if self.outcomes else Delivered("x")

    async def close(self):
        pass


async def run_for(worker, check):
    task = asyncio.create_task(worker.run())
    await until(check)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_delivery_that_could_not_be_noted_is_not_sent_twice(store, monkeypatch):
    add(store, "a")
    forwarder = CountingForwarder()
    worker = Worker(store, forwarder, retry_first_s=0.05, retry_cap_s=1)
    failures = [StoreFull("the disk is full")]
    noted = outbox.mark_delivered

    def failing(*args):
        if failures:
            raise failures.pop()
        noted(*args)

    monkeypatch.setattr(outbox, "mark_delivered", failing)
    await run_for(worker, lambda: rows(store)["a"][0] == "delivered")
    assert forwarder.sent == ["a"]


async def test_a_delivery_is_dated_when_it_was_sent_however_late_the_store_notes_it(store, monkeypatch):
    add(store, "a")
    clock, noted, is_full = FakeClock(utc_ms=1_000_000), outbox.mark_delivered, True

    def failing(*args):
        if is_full:
            raise StoreFull("the disk is full")
        noted(*args)

    monkeypatch.setattr(outbox, "mark_delivered", failing)
    async with running(store, CountingForwarder(), clock=clock) as worker:
        await until(worker.taken)
        worker.offer(3, Delivery("memory", b"{}"))
        await until(lambda: worker.counters.delivered == 2)
        clock.set(3_600_000)
        is_full = False
        add(store, "memory")
        worker.wake()
        await until(lambda: {state for state, *_ in rows(store).values()} == {"delivered"})
        await until(lambda: not worker.taken())  # the commit is seen before the worker knows of it
    sent = store.read_now(lambda tx: tx.execute("SELECT delivered_utc_ms FROM outbox").fetchall())
    assert sent == [(1_000_000,), (1_000_000,)]


async def test_an_event_offered_from_memory_is_retried_and_its_late_row_is_not_sent_again(store):
    forwarder = CountingForwarder([RetryAfter("no")])
    worker = Worker(store, forwarder, retry_first_s=0.05, retry_cap_s=1)
    worker.offer(2, Delivery("low", b"{}"))
    worker.offer(3, Delivery("high", b"{}"))
    worker.offer(3, Delivery("high", b"{}"))
    await run_for(worker, lambda: len(forwarder.sent) == 3)
    assert forwarder.sent == ["high", "high", "low"]
    add(store, "high")
    await run_for(worker, lambda: rows(store)["high"][0] == "delivered")
    assert forwarder.sent == ["high", "high", "low"] and rows(store)["high"][0] == "delivered"
