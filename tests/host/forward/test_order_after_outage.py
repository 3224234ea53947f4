"""A receiver that answers and takes nothing for a while: afterwards the events of an episode come in their order.

A real HTTP peer, a real store, and a clock that moves only when the worker waits. What one event alone is refused for
holds up no other.
"""

import itertools
import json
from collections.abc import Callable, Iterable

import pytest

from host_agent.forward.kinds.webhook import Webhook
from host_agent.store.outbox import Addressed, add_delivery
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_http import FakeReceiver, Received, Reply
from tests.host.forward.conftest import rows, running, until
from tools.rig.stored import bind_patient

SECRET = b"0123456789abcdef"
NUMBER = 12
SURE = {"401": [401], "407": [407], "429": [429], "503": [503]}
DOUBTED = {
    "403": [403],
    "500": [500],
    "502": [502],
    "504": [504],
    "cut": [0],
    "mixture": [503, 500, 401, 0, 502],
}
RETRY_AFTER = {429: {"Retry-After": "7"}, 503: {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}}


class Bedside:
    """A store with events of `episodes` that take turns, and a receiver whose answers a test decides."""

    def __init__(self, store, receiver: FakeReceiver, episodes: int = 2) -> None:
        self.store, self.receiver, self.clock = store, receiver, FakeClock(auto=True)
        self.requests = 0
        self.taken: list[str] = []
        self.taken_s: dict[str, float] = {}
        self.made = 0
        self._episodes = episodes
        store.write_now(self._set_up)
        receiver.answer = self._answer
        self.status: Callable[[str, int], int] = lambda key, number: 200
        self.at_request: Callable[[int], None] = lambda number: None

    def _set_up(self, tx) -> None:
        bind_patient(tx, b"DEVICE01", b"BINDING1")
        for one in range(self._episodes):
            tx.execute(
                "INSERT INTO episodes (key, device, kind, alarm, priority, peak_priority, state, simulated,"
                " opened_utc_ms, changed_utc_ms) VALUES (?, 1, 'alarm', 1, 2, 2, 'open', 0, 0, 0)",
                (f"episode {one}",),
            )

    def add(self, number: int = 1) -> None:
        for _ in range(number):
            key, episode = f"{self.made % self._episodes}-{self.made:03}", self.made % self._episodes + 1
            body = json.dumps({"key": key})
            row = Addressed("w", key, episode, 2, False, body, device=1, kind="alarm-1", alarm=1)
            self.store.write_now(lambda tx, row=row: add_delivery(tx, row, self.clock.utc_ms()))
            self.made += 1

    def run(self):
        hook = Webhook(
            "w", self.receiver.url, SECRET, timeout_s=5, accept_simulated=False, utc_ms=self.clock.utc_ms
        )
        return running(self.store, hook, retry_first_s=1, retry_cap_s=60, clock=self.clock)

    def waiting(self) -> set[str]:
        return {key for key, (state, *_) in rows(self.store).items() if state == "pending"}

    def is_in_order(self, without: Iterable[str] = ()) -> bool:
        """Whether what was taken first came first, in each episode."""
        first = [key for key in dict.fromkeys(self.taken) if key not in set(without)]
        by_episode = [[key for key in first if key[0] == str(one)] for one in range(self._episodes)]
        return all(keys == sorted(keys) for keys in by_episode)

    def _answer(self, request: Received) -> Reply:
        key = request.headers["idempotency-key"]
        self.requests += 1
        self.at_request(self.requests)
        status = self.status(key, self.requests)
        if status == 0:
            return Reply(cut=True)
        if 200 <= status < 300:
            self.taken.append(key)
            self.taken_s.setdefault(key, self.clock.monotonic())
        return Reply(status, RETRY_AFTER.get(status, {}))


@pytest.fixture
async def bedside(store):
    async with FakeReceiver() as receiver:
        yield Bedside(store, receiver)


def outage(statuses: list[int], requests: int):
    """The first requests are answered by these statuses in turn, the later ones by 200."""
    turns = itertools.cycle(statuses)
    return lambda key, number: next(turns) if number <= requests else 200


@pytest.mark.parametrize("length", [1, 2, 3, 5, 8, 13])
@pytest.mark.parametrize("kind", SURE)
async def test_after_a_refusal_that_is_about_the_receiver_everything_comes_in_order(bedside, kind, length):
    bedside.status = outage(SURE[kind], length)
    bedside.add(NUMBER)
    async with bedside.run():
        await until(lambda: not bedside.waiting())
    assert bedside.taken == sorted(bedside.taken, key=lambda key: key[2:]) and len(bedside.taken) == NUMBER


@pytest.mark.parametrize("length", [2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("kind", DOUBTED)
async def test_after_answers_that_leave_doubt_each_episode_comes_in_order(bedside, kind, length):
    bedside.status = outage(DOUBTED[kind], length)
    bedside.add(NUMBER)
    async with bedside.run():
        await until(lambda: not bedside.waiting())
    assert bedside.is_in_order() and len(bedside.taken) == NUMBER


@pytest.mark.parametrize("kind", {**SURE, **DOUBTED})
async def test_events_that_were_made_during_the_outage_come_after_those_before_it(bedside, kind):
    bedside.status = outage({**SURE, **DOUBTED}[kind], 30)
    bedside.add(2)
    async with bedside.run() as worker:

        def at_request(number: int) -> None:
            if number % 2 and number < 30:
                bedside.add()
                worker.wake()

        bedside.at_request = at_request
        await until(lambda: not bedside.waiting())
    assert bedside.is_in_order() and len(bedside.taken) == bedside.made > 15
    assert max(bedside.taken_s.values()) - min(bedside.taken_s.values()) < 1, "all at once when it is back"


@pytest.mark.parametrize("kind", {**SURE, **DOUBTED})
async def test_after_a_restart_in_the_outage_the_order_is_the_same(bedside, kind):
    bedside.status = outage({**SURE, **DOUBTED}[kind], 14)
    bedside.add(NUMBER)
    for stop in (3, 7, 11):
        async with bedside.run():
            await until(lambda stop=stop: bedside.requests >= stop)
    async with bedside.run():
        await until(lambda: not bedside.waiting())
    assert bedside.is_in_order() and len(set(bedside.taken)) == NUMBER


@pytest.mark.parametrize("kind", SURE)
async def test_killed_after_the_receiver_took_one_it_comes_twice_under_its_key_and_in_order(bedside, kind):
    bedside.status = outage(SURE[kind], 4)
    bedside.add(NUMBER)
    for _ in range(3):
        taken = len(bedside.taken)
        async with bedside.run():  # cancelled as soon as the peer has it: the commit may be lost
            await until(lambda taken=taken: len(bedside.taken) > taken)
    async with bedside.run():
        await until(lambda: not bedside.waiting())
    assert bedside.is_in_order() and len(set(bedside.taken)) == NUMBER


@pytest.mark.parametrize("status", [403, 409, 410, 422, 451, 500, 502, 504, 0])
async def test_an_event_that_is_always_refused_holds_up_no_other(bedside, status):
    bad = "0-000"
    bedside.status = lambda key, number: status if key == bad else 200
    bedside.add(NUMBER)
    async with bedside.run():
        await until(lambda: len(bedside.taken) == NUMBER - 1)
        took_s = max(
            bedside.taken_s.values()
        )  # while nothing is due the clock runs on, until this test looks
        bedside.status = lambda key, number: 200
        await until(lambda: not bedside.waiting())
    assert took_s <= 60 and bedside.is_in_order(without=[bad])
    assert rows(bedside.store)[bad][0] == ("refused" if status == 422 else "delivered")


@pytest.mark.parametrize("status", [403, 409, 500, 502])
@pytest.mark.parametrize("outage_status", [401, 429, 503])
async def test_two_that_are_always_refused_and_an_outage_around_them(bedside, status, outage_status):
    bad = {"0-002", "1-003"}
    bedside.status = lambda key, number: (
        outage_status if number <= 5 or 12 <= number <= 15 else status if key in bad else 200
    )
    bedside.add(NUMBER)
    async with bedside.run():
        await until(lambda: len(bedside.taken) == NUMBER - 2)
        took_s = max(bedside.taken_s.values())
        await until(lambda: all(rows(bedside.store)[key][1] > 1 for key in bad))
        await until(lambda: bedside.waiting() == bad)
    assert bedside.is_in_order(without=bad) and took_s <= 420


@pytest.mark.parametrize("status", [403, 500, 502, 0])
async def test_in_an_episode_of_its_own_a_poison_is_passed_within_minutes(store, status):
    async with FakeReceiver() as receiver:
        bedside = Bedside(store, receiver, episodes=1)
        bedside.status = lambda key, number: status if key == "0-000" else 200
        bedside.add(4)
        async with bedside.run():
            await until(lambda: len(bedside.taken) == 3)
        assert bedside.taken_s["0-001"] <= 180 and bedside.is_in_order()


async def test_what_a_dead_receiver_is_asked_stays_bounded(bedside):
    bedside.status = lambda key, number: 502
    bedside.add(NUMBER)
    async with bedside.run():
        await until(lambda: bedside.clock.monotonic() > 3600)
    assert bedside.requests <= 3 * 60, "about one a pause, a probe for some, and a fresh event never alone"


async def test_a_wish_to_wait_is_kept_and_then_all_is_due_at_once(bedside):
    bedside.status = outage([429], 1)
    bedside.add(NUMBER)
    async with bedside.run():
        await until(lambda: not bedside.waiting())
    assert 7 <= min(bedside.taken_s.values()) <= max(bedside.taken_s.values()) < 8
