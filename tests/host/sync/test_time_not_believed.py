"""A time mark that cannot be true dates nothing: no reading is newer than its receipt, own clocks come first."""

import random

import pytest
from crs_core.journal import record_types
from crs_core.wire import message as wire

from host_agent.clock import RealClock
from host_agent.store.time_marks import Extent, Mark, keep_mark, marks_of, note_extents
from host_agent.sync.timebase import Timebase, load_timebase, record_time, stored_time
from tests.host.sync.conftest import until
from tools.rig.protocol_wearable import READER

T0 = 1_800_000_000_000
HOUR = 3_600_000
YEAR = 365 * 24 * HOUR
READER_KEY = 0x22


def own(t_ms: int, utc_ms: int, bound_ms: int = 1000) -> Mark:
    return Mark(1, t_ms, utc_ms, bound_ms, True, 0x11)


def others(t_ms: int, utc_ms: int, bound_ms: int = 1000) -> Mark:
    return Mark(1, t_ms, utc_ms, bound_ms, False, READER_KEY)


@pytest.mark.parametrize("off_ms", [61_000, HOUR, -HOUR, 10 * YEAR, -6 * YEAR, (1 << 60) - T0])
@pytest.mark.parametrize("bound_ms", [0, 1000, 0xFFFFFFFF])
def test_others_change_nothing_where_this_laptop_measured(off_ms, bound_ms) -> None:
    extents = [Extent(1, 2 * HOUR, T0 + 2 * HOUR)]
    honest = Timebase([own(0, T0)], extents)
    lied_to = Timebase([own(0, T0), others(HOUR, T0 + HOUR + off_ms, bound_ms)], extents)
    for t_ms in (0, HOUR, 2 * HOUR):
        assert lied_to.resolve(1, t_ms) == honest.resolve(1, t_ms)


@pytest.mark.parametrize("seed", range(200))
def test_whatever_the_marks_say_nothing_is_newer_than_when_it_came(seed) -> None:
    rng = random.Random(seed)

    def utc() -> int:
        return rng.choice([0, T0, T0 + rng.randrange(-YEAR, YEAR), 1 << 60, (1 << 64) - 1, 4_102_444_799_999])

    marks = [
        Mark(
            rng.randrange(1, 4),
            rng.randrange(9 * HOUR),
            utc(),
            rng.choice([0, 20, 0xFFFFFFFF]),
            rng.random() < 0.3,
        )
        for _ in range(rng.randrange(6))
    ]
    extents = [Extent(boot, 9 * HOUR, T0 + boot * 9 * HOUR) for boot in (1, 2, 3)]
    for boot in (1, 2, 3):
        for t_ms in (0, HOUR, 9 * HOUR):
            found = Timebase(marks, extents).resolve(boot, t_ms)
            latest = T0 + boot * 9 * HOUR - (9 * HOUR - t_ms) * 9999 // 10_000 + 1
            assert found is None or found.utc_ms <= latest, (marks, boot, t_ms, found)


def test_a_mark_ahead_of_every_receipt_dates_nothing_where_there_is_no_other() -> None:
    assert Timebase([others(0, T0 + 10 * YEAR)], [Extent(1, HOUR, T0)]).resolve(1, HOUR) is None


def test_a_clock_that_was_fast_and_then_set_back_is_left_out() -> None:
    marks = [own(0, T0 + HOUR), own(10_000, T0 + 10_000)]
    assert Timebase(marks, [Extent(1, 20_000, T0 + 20_000)]).resolve(1, 0).utc_ms == T0  # type: ignore[union-attr]


def test_a_clock_that_was_slow_and_then_set_forward_is_left_out() -> None:
    marks = [own(0, T0 - HOUR), own(10_000, T0 + 10_000)]
    found = Timebase(marks, [Extent(1, 20_000, T0 + 20_000)]).resolve(1, 20_000)
    assert found is not None and (found.utc_ms, found.how) == (T0 + 20_000, "mark")


def test_a_clock_set_back_before_a_new_mark_says_no_more_than_when_it_came() -> None:
    found = Timebase([own(0, T0 + HOUR)], [Extent(1, 20_000, T0 + 20_000)]).resolve(1, 20_000)
    assert found is not None and (found.utc_ms, found.how) == (T0 + 20_000, "received")
    assert found.utc_ms + found.bound_ms >= T0 + HOUR


def test_small_differences_between_own_marks_are_cut_as_before() -> None:
    both = Timebase([own(0, T0), own(10_000, T0 + 10_900)]).resolve(1, 0)
    assert both is not None and both.bound_ms < 1000 and both.utc_ms > T0


@pytest.mark.parametrize(
    ("marks", "ahead_ms"),
    [
        ([own(0, T0), others(9000, T0 + 9000 + HOUR)], HOUR),
        ([own(0, T0), others(9000, T0 + 9000 - HOUR)], -HOUR),
        ([others(0, T0 + 5 * HOUR)], 5 * HOUR),
        ([own(0, T0 + HOUR), own(9000, T0 + 9000)], HOUR),
        ([own(0, T0 - HOUR), own(9000, T0 + 9000)], -HOUR),
        ([others(0, T0 - HOUR), others(9000, T0 - 2 * HOUR)], HOUR),
    ],
)
def test_marks_that_cannot_all_be_true_are_named(marks, ahead_ms) -> None:
    (found,) = Timebase(marks, [Extent(1, 10_000, T0 + 10_000)]).contradictions(1)
    assert abs(found.ahead_ms - ahead_ms) <= 20_000


@pytest.mark.parametrize(
    "marks", [[own(0, T0)], [own(0, T0), others(5000, T0 + 6500)], [own(0, T0), own(9, T0 + 990)]]
)
def test_marks_within_their_bounds_contradict_nothing(marks) -> None:
    assert Timebase(marks, [Extent(1, 10_000, T0 + 10_500)]).contradictions(1) == []


def test_the_earliest_receipt_counts_and_an_own_mark_of_a_clock_set_forward_replaces_it(store) -> None:
    def run(tx):
        tx.execute("INSERT INTO devices VALUES (1, x'0101010101010101', '', 0, 0, 0, 0, 0, '')")
        note_extents(tx, 1, [(1, 10_000)], T0 + 10_000)
        note_extents(tx, 1, [(1, 20_000)], T0 + 5 * HOUR)  # this one came late
        keep_mark(tx, 1, Mark(1, 0, T0 + 4 * HOUR, 20, True, 0x11), "journal")
        fast = record_time(tx, 1, 1, 10_000)
        tx.execute("DELETE FROM time_marks")
        note_extents(tx, 1, [(1, 30_000)], T0 - HOUR)  # the clock is slow now
        keep_mark(tx, 1, Mark(1, 40_000, T0 + 40_000, 20, True, 0x11), "live")  # and set forward
        return fast, record_time(tx, 1, 1, 40_000), load_timebase(tx, 1).resolve(1, 40_000)

    fast, forward, _ = store.write_now(run)
    assert fast is not None and fast[0] <= T0 + 5 * HOUR
    assert forward is not None and abs(forward[0] - T0 - 40_000) <= 20


def test_a_stored_record_far_ahead_of_its_boot_has_no_known_time_in_any_view(store) -> None:
    def run(tx):
        tx.execute("INSERT INTO devices VALUES (1, x'0101010101010101', '', 0, 0, 0, 0, 0, '')")
        keep_mark(tx, 1, Mark(1, 10_000, T0 + 10_000, 20, True, 0x11), "live")
        ahead = [5_000_000, 30 * 24 * HOUR]
        note_extents(tx, 1, [(1, ahead[0])], T0 + 15_000)  # also before any other record
        first = stored_time(tx, 1, 1, ahead[0])
        note_extents(tx, 1, [(1, 20_000)], T0 + 20_000)
        note_extents(tx, 1, [(1, t_ms) for t_ms in ahead], T0 + 21_000)
        return (
            first,
            [stored_time(tx, 1, 1, t_ms) for t_ms in (20_000, *ahead)],
            record_time(tx, 1, 1, ahead[0]),
        )

    first, (honest, *ahead), as_marked = store.write_now(run)
    assert honest is not None and abs(honest[0] - T0 - 20_000) <= 20
    assert first is None and ahead == [None, None]
    assert as_marked is not None and as_marked[0] > T0 + 4_000_000, "so that FUTURE_DATA is raised"


async def test_the_key_of_every_mark_is_kept(store, device, session) -> None:
    device.event(record_types.TimeMark(RealClock().utc_ms(), 500, READER.key_id))
    async with session(device, synced=True):
        pass
    (journal,) = store.read_now(lambda tx: tx.execute("SELECT id FROM devices").fetchall())
    marks = store.read_now(lambda tx: marks_of(tx, journal[0]))
    assert {(mark.own, mark.key_id) for mark in marks} == {(True, 0x11), (False, READER.key_id)}


class SetClock(RealClock):
    """The real clock, until somebody sets it."""

    moved_ms = 0

    def utc_ms(self) -> int:
        return super().utc_ms() + self.moved_ms


@pytest.mark.parametrize("by_ms", [-HOUR, HOUR])
async def test_a_clock_that_is_set_is_followed_at_the_next_heartbeat(store, device, session, by_ms) -> None:
    clock = SetClock()
    async with session(device, synced=True, board_clock=clock, heartbeat_s=0.05) as (engine, _):
        clock.moved_ms = by_ms
        await until(lambda: engine.counters.get("clock_was_set"), "the clock was looked at")
        await until(lambda: abs(_age_ms(store, device, clock)) < 60_000, "the age follows the clock")


def _age_ms(store, device, clock) -> int:
    def age(tx):
        found = record_time(tx, 1, device.boot, device.now_ms)
        return 10**9 if found is None else clock.utc_ms() - found[0]

    return int(store.read_now(age))


async def test_a_clock_that_was_never_set_dates_nothing(store, device, session) -> None:
    clock = SetClock()
    clock.moved_ms = -RealClock().utc_ms() + 90_000
    async with session(device, synced=True, board_clock=clock) as (engine, _):
        await until(lambda: engine.counters.get("clock_never_set"), "counted")
    assert store.read_now(lambda tx: tx.execute("SELECT count(*) FROM time_marks").fetchone()) == (0,)


@pytest.mark.parametrize("utc_ms", [0, 10 * YEAR + T0, (1 << 64) - 1])
async def test_a_time_is_that_nobody_asked_for_dates_nothing_ahead(store, device, session, utc_ms) -> None:
    async with session(device, synced=True) as (engine, _):
        device.read_sensors(1)
        await device.say(wire.TimeIs(utc_ms, 1, device.now_ms))
        await device.say(wire.CaughtUp(device.journal.head_seq))
        await until(lambda: engine.journal.cursor == device.journal.head_seq, "synced")
    assert -60_000 < _age_ms(store, device, RealClock()) < 60_000
