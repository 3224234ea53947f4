"""Times that cannot all be true raise one alarm that names whose clock it was."""

import pytest
from crs_core.codes import TIME_CONTRADICTS

from host_agent.escalation.checks.check import CheckParts
from host_agent.escalation.checks.contradicting_time import ContradictingTimeCheck
from host_agent.store.time_marks import Mark, keep_mark, keep_received_mark, note_extents
from tests.fakes.fake_clock import FakeClock
from tests.host.escalation.world import BOOT_UTC_MS, NOW_MS, World

HOUR = 3_600_000


@pytest.fixture
def look(tmp_path):
    """Keep marks (t_ms, ahead_ms, own), hear a record, look twice; (priority, detail) of what stands."""
    world = World(tmp_path)
    check = ContradictingTimeCheck(CheckParts(world.store, world.escalation, FakeClock(utc_ms=NOW_MS)))

    async def run(*marks, heard_ms=HOUR):
        def keep(tx):
            for t_ms, ahead_ms, own in marks:
                mark = Mark(1, t_ms, BOOT_UTC_MS + t_ms + ahead_ms, 20, own, 0x11 if own else 0x22)
                keep_mark(tx, 1, mark, "live") if own else keep_received_mark(tx, 1, mark)
            note_extents(tx, 1, [(1, heard_ms)], BOOT_UTC_MS + heard_ms)

        world.store.write_now(keep)
        await check.look()
        await check.look()
        return world.query(
            "SELECT priority, detail FROM host_alarms WHERE alarm = ? AND ended_utc_ms IS NULL",
            TIME_CONTRADICTS,
        )

    yield run
    world.store.close()


async def test_nothing_contradicts(look):
    assert await look((5000, 0, True), (6000, 10, False), (7000, 50_000, True)) == []


@pytest.mark.parametrize(
    ("marks", "priority", "words"),
    [
        ([(0, 0, True), (HOUR, 10 * HOUR, False)], 2, "key 00000022 sent a time that is 10 h"),
        ([(0, 0, True), (HOUR, -HOUR, False)], 2, "1 h behind"),
        ([(0, 0, True), (HOUR, 5000, False)], 1, "5 s ahead"),
        ([(0, HOUR, True), (HOUR, 0, True)], 2, "the clock of this laptop was 1 h ahead"),
        ([(0, -HOUR, True), (HOUR, 0, True)], 2, "the clock of this laptop was 1 h behind"),
    ],
)
async def test_it_says_whose_clock_it_was_and_how_far_it_was_off(look, marks, priority, words):
    ((found, detail),) = await look(*marks)
    assert found == priority and words in detail


async def test_it_ends_a_day_later_and_a_thousand_lies_are_one_alarm(look):
    lies = [(1000 + at, HOUR + at, False) for at in range(1000)]
    assert len(await look((0, 0, True), *lies)) == 1
    assert await look((26 * HOUR, 0, True), heard_ms=26 * HOUR) == []
