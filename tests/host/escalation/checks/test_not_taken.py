"""NOT_TAKEN over a real store: what a wearable refused stands until something is taken, or the binding ends."""

import pytest
from crs_core import codes

from host_agent.errors import StoreFull
from host_agent.escalation.checks.check import CheckParts
from host_agent.escalation.checks.not_taken import NotTakenCheck
from host_agent.escalation.derive import Escalation, Target
from host_agent.store.outgoing import JOURNALED, REFUSED, finish
from tests.fakes.fake_clock import FakeClock
from tests.host.people.people_world import NOW_MS, PeopleWorld


class Bench:
    """Two bound wearables; `numbers` is what the sender knows of each binding."""

    def __init__(self, folder):
        self.world, self.numbers = PeopleWorld(folder), {}
        clock = FakeClock(NOW_MS)
        derive = Escalation([Target("ward", True)], link_utc_ms=clock.utc_ms)
        self.check = NotTakenCheck(CheckParts(self.world.store, derive, clock), self.numbers)

    def answer(self, state, why=""):
        """Sign an entry, and let the wearable answer it."""
        self.world.enter(self.world.nurse, ice=8)
        (audit,) = self.world.query("SELECT max(audit) FROM context_outgoing")[0]
        self.world.store.write_now(lambda tx: finish(tx, audit, state, why, NOW_MS))
        return audit

    async def alarms(self):
        """(device, priority, detail) of the open ones, after three looks."""
        for _ in range(3):
            await self.check.look()
        return self.world.query(
            f"SELECT device, priority, detail FROM host_alarms WHERE alarm = {codes.NOT_TAKEN}"
            " AND ended_utc_ms IS NULL ORDER BY id"
        )

    def sent(self):
        return self.world.query("SELECT count(*) FROM outbox")[0][0]


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.world.store.close()


async def test_a_refused_entry_stands_until_a_later_one_is_taken_and_is_sent_once(bench):
    bench.numbers[1] = ""
    assert await bench.alarms() == []
    audit = bench.answer(REFUSED, "key 12 is unknown")
    assert await bench.alarms() == [(1, 2, f"entry {audit}: key 12 is unknown")] and bench.sent() == 1
    again = bench.answer(REFUSED, "key 13 is unknown")
    assert await bench.alarms() == [(1, 2, f"entry {again}: key 13 is unknown")] and bench.sent() == 1
    bench.answer(JOURNALED)
    assert await bench.alarms() == []


async def test_refused_numbers_stand_until_they_are_taken(bench):
    bench.numbers[1] = "rules: fever_cc"
    assert await bench.alarms() == [(1, 2, "signed numbers: rules: fever_cc")]
    audit = bench.answer(REFUSED, "no")
    assert await bench.alarms() == [(1, 2, f"signed numbers: rules: fever_cc; entry {audit}: no")]
    bench.answer(JOURNALED)
    bench.numbers[1] = ""
    assert await bench.alarms() == []


async def test_after_a_restart_it_stands_until_the_wearable_was_in_session(bench):
    bench.numbers[1] = "rules: fever_cc"
    standing = await bench.alarms()
    bench.numbers.clear()
    assert await bench.alarms() == standing
    bench.numbers[1] = ""
    assert await bench.alarms() == []


async def test_it_ends_with_the_binding(bench):
    bench.answer(REFUSED, "no")
    assert await bench.alarms()
    bench.world.store.write_now(lambda tx: tx.execute("UPDATE bindings SET state = 'ended' WHERE id = 1"))
    assert await bench.alarms() == []


async def test_what_the_store_did_not_take_is_stored_at_a_later_look(bench, monkeypatch):
    async def full(fn):
        raise StoreFull("full")

    bench.answer(REFUSED, "no")
    with monkeypatch.context() as failing:
        failing.setattr(bench.world.store, "write", full)
        assert await bench.alarms() == []
    assert len(await bench.alarms()) == 1
