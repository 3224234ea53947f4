"""Times that cannot all be true raise one alarm that names whose clock it was."""

import pytest
from crs_core.codes import TIME_CONTRADICTS

from host_agent.escalation.checks.check import CheckParts
from host_agent.escalation.checks.contradicting_time import ContradictingTimeCheck
from host_agent.store.time_marks import Mark, keep_mark, keep_received_mark, note_extents
from host_agent.sync.live import Said
from tests.fakes.fake_clock import FakeClock
from tests.host.escalation.world import BOOT_UTC_MS, DEVICE_ID, NOW_MS, World

HOUR, MIN = 3_600_000, 60_000


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


@pytest.fixture
def measured(tmp_path):
    """A wearable in session measures at `t_ms` what comes now, by a mark of the laptop; [(priority, detail)] after
    `seconds` of looks."""
    world, clock = World(tmp_path), FakeClock(utc_ms=NOW_MS)
    said = {DEVICE_ID: Said(2, 0, NOW_MS)}
    check = ContradictingTimeCheck(CheckParts(world.store, world.escalation, clock), said=lambda: said)

    async def run(t_ms, mark, seconds=60, boot=2):
        said[DEVICE_ID] = Said(boot, t_ms, clock.utc_ms())
        world.store.write_now(lambda tx: keep_mark(tx, 1, mark, "live"))
        for _ in range(seconds // 10):
            await clock.advance(10)
            await check.look()
        return world.query(
            "SELECT priority, detail FROM host_alarms WHERE alarm = ? AND ended_utc_ms IS NULL",
            TIME_CONTRADICTS,
        )

    yield run
    world.store.close()


def mark_of(t_ms, utc_ms=NOW_MS):
    return Mark(2, t_ms, utc_ms, 20, True, 0x11)


@pytest.mark.parametrize("ahead_ms", [11 * MIN, 3 * HOUR, 11 * 24 * HOUR, 400 * 24 * HOUR])
async def test_values_that_come_now_and_are_made_old_by_the_wearable_s_own_answer(measured, ahead_ms):
    ((priority, detail),) = await measured(HOUR, mark_of(HOUR + ahead_ms))
    assert priority == 2 and "old by its own answer" in detail


@pytest.mark.parametrize("ahead_ms", [-HOUR, -1, 0, 5000, 9 * MIN])
async def test_values_of_about_now_contradict_nothing(measured, ahead_ms):
    assert await measured(HOUR, mark_of(HOUR + ahead_ms)) == []


async def test_a_heartbeat_after_the_clock_was_set_is_none_and_a_restart_of_the_wearable_ends_it(measured):
    assert await measured(HOUR, mark_of(HOUR + 3 * HOUR), seconds=40) == []
    assert len(await measured(HOUR, mark_of(HOUR + 3 * HOUR), seconds=20)) == 1
    assert await measured(HOUR, mark_of(HOUR)._replace(boot=3), seconds=10, boot=3) == []


async def test_it_ends_a_day_later_and_a_thousand_lies_are_one_alarm(look):
    lies = [(1000 + at, HOUR + at, False) for at in range(1000)]
    assert len(await look((0, 0, True), *lies)) == 1
    assert await look((26 * HOUR, 0, True), heard_ms=26 * HOUR) == []
