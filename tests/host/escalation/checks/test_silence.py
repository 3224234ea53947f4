"""Silence of a wearable over a real store and a clock that the test moves."""

import pytest
from crs_core.codes import FUTURE_DATA, NO_DATA_YET, NOT_BACK, STALE_DATA
from crs_core.journal import record_types

from host_agent.config.model import WatchdogSection
from host_agent.errors import StoreFull
from host_agent.escalation.checks.check import CheckParts
from host_agent.escalation.checks.silence import SilenceCheck
from host_agent.escalation.checks.silence_rules import Limits
from host_agent.sync.live import Heard
from tests.fakes.fake_clock import FakeClock
from tests.host.escalation.world import BOOT_UTC_MS, DEVICE_ID, NOW_MS, World, alarm_record

LIMITS = Limits(**WatchdogSection().model_dump())
NOTHING = Heard(None, False)


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.store.close()


def silence(world, clock, *from_memory):
    return SilenceCheck(CheckParts(world.store, world.escalation, clock, *from_memory), LIMITS, heard=dict)


def clock_now():
    return FakeClock(utc_ms=NOW_MS)


def add_reading(world, utc_ms):
    """One stored reading of that moment."""
    world.store.write_now(
        lambda tx: tx.execute(
            "INSERT INTO readings VALUES"
            " (?, (SELECT coalesce(max(seq), 0) + 1 FROM readings), 1, ?, 3700, 970, 80, 150, 9, 0)",
            (world.journal.id, utc_ms - BOOT_UTC_MS),
        )
    )


def open_alarms(world):
    return world.query("SELECT alarm, priority FROM host_alarms WHERE ended_utc_ms IS NULL ORDER BY alarm")


async def test_silence_from_start_grows_is_stored_and_told_at_each_step(world):
    clock = clock_now()
    check = silence(world, clock)
    for seconds, expected in [
        (60, []),
        (60, [(NO_DATA_YET, 1)]),
        (780, [(NO_DATA_YET, 2)]),
        (900, [(NO_DATA_YET, 3)]),
    ]:
        await clock.advance(seconds)
        await check.look_at(DEVICE_ID, NOTHING)
        await check.look_at(DEVICE_ID, NOTHING)
        assert open_alarms(world) == expected
    assert world.told() == [("NO_DATA_YET", "LOW"), ("NO_DATA_YET", "MEDIUM"), ("NO_DATA_YET", "HIGH")]


async def test_data_ends_it_and_silence_afterwards_is_stale(world):
    clock = clock_now()
    check = silence(world, clock)
    await clock.advance(200)
    await check.look_at(DEVICE_ID, NOTHING)
    heard = Heard(clock.monotonic(), True)
    await check.look_at(DEVICE_ID, heard)
    assert open_alarms(world) == []
    await clock.advance(181)
    await check.look_at(DEVICE_ID, heard)
    assert open_alarms(world) == [(STALE_DATA, 1)]
    await check.look_at(DEVICE_ID, Heard(clock.monotonic(), True))
    assert open_alarms(world) == []
    assert world.told() == [("NO_DATA_YET", "LOW"), ("STALE_DATA", "LOW")]


async def test_after_a_restart_an_open_alarm_stays_and_is_not_told_again(world):
    clock = clock_now()
    add_reading(world, NOW_MS - 3_000_000)
    first = silence(world, clock)
    await clock.advance(121)
    await first.look_at(DEVICE_ID, NOTHING)
    assert open_alarms(world) == [(NO_DATA_YET, 3)]
    again = silence(world, clock)
    await again.look_at(DEVICE_ID, NOTHING)
    assert open_alarms(world) == [(NO_DATA_YET, 3)], "not over because an agent started"
    await clock.advance(121)
    await again.look_at(DEVICE_ID, NOTHING)
    assert world.told() == [("NO_DATA_YET", "HIGH")]


async def test_it_starts_at_the_priority_of_a_physiological_alarm_of_the_last_hour(world):
    clock = clock_now()
    minutes = 60_000
    world.commit(alarm_record({}, HYPOXAEMIA=3), t_ms=10 * minutes)
    world.commit(alarm_record({"HYPOXAEMIA": 3}, HYPOXAEMIA=0), t_ms=20 * minutes)
    check = silence(world, clock)
    await clock.advance(121)
    await check.look_at(DEVICE_ID, NOTHING)
    assert open_alarms(world) == [(NO_DATA_YET, 3)]


async def test_an_alarm_that_ended_more_than_an_hour_ago_does_not_count(world):
    clock = clock_now()
    minutes = 60_000
    world.commit(alarm_record({}, HYPOXAEMIA=3), t_ms=10 * minutes)
    world.commit(alarm_record({"HYPOXAEMIA": 3}, HYPOXAEMIA=0), t_ms=20 * minutes)
    await clock.advance(30 * 60)
    check = silence(world, clock)
    await clock.advance(121)
    await check.look_at(DEVICE_ID, NOTHING)
    assert open_alarms(world) == [(NO_DATA_YET, 1)]


async def test_technical_alarms_do_not_raise_it(world):
    clock = clock_now()
    world.commit(alarm_record({}, JOURNAL_FAULT=3))
    check = silence(world, clock)
    await clock.advance(121)
    await check.look_at(DEVICE_ID, NOTHING)
    assert open_alarms(world) == [(NO_DATA_YET, 1)]


async def test_future_data_is_an_alarm_until_time_has_caught_up(world):
    clock = clock_now()
    add_reading(world, NOW_MS + 3_600_000)
    check = silence(world, clock)
    await check.look_at(DEVICE_ID, Heard(0.0, True))
    assert open_alarms(world) == [(FUTURE_DATA, 1)]
    await clock.advance(3600)
    await check.look_at(DEVICE_ID, Heard(clock.monotonic(), True))
    assert open_alarms(world) == []


async def test_patient_end_disarms_and_never_bound_stays_low(world, tmp_path):
    clock = clock_now()
    check = silence(world, clock)
    await clock.advance(5000)
    await check.look_at(DEVICE_ID, NOTHING)
    assert open_alarms(world) == [(NO_DATA_YET, 3)]
    world.store.write_now(lambda tx: tx.execute("UPDATE bindings SET state = 'ended'"))
    await check.look_at(DEVICE_ID, NOTHING)
    assert open_alarms(world) == []
    (tmp_path / "u").mkdir()
    unbound = World(tmp_path / "u", bound=False)
    check = silence(unbound, clock)
    await clock.advance(5000)
    await check.look_at(DEVICE_ID, NOTHING)
    assert open_alarms(unbound) == [(NO_DATA_YET, 1)]
    unbound.store.close()


async def test_an_enrolled_wearable_that_was_never_seen_is_watched(world):
    clock = clock_now()
    check = silence(world, clock)
    await clock.advance(121)
    await check.look_at(b"NEVERSEE", NOTHING)
    assert world.told() == [("NO_DATA_YET", "LOW")]
    assert world.outbox()[0]["device"]["id"] == b"NEVERSEE".hex()


async def test_a_store_that_fails_does_not_silence_it(world, monkeypatch):
    clock = clock_now()
    told = []
    check = silence(world, clock, lambda device_id, finding: told.append((device_id, finding.alarm)))

    async def failing(fn):
        raise StoreFull("full")

    monkeypatch.setattr(world.store, "write", failing)
    await clock.advance(121)
    await check.look_at(DEVICE_ID, NOTHING)
    assert told == [(DEVICE_ID, NO_DATA_YET)]
    monkeypatch.undo()
    await check.look_at(DEVICE_ID, NOTHING)
    assert open_alarms(world) == [(NO_DATA_YET, 1)]


def pause(op: int, left_s: int):
    return record_types.Pause(op, 1, left_s, 0x11)


async def test_an_announced_pause_is_waited_for_and_then_told_as_high(world):
    clock = clock_now()
    check = silence(world, clock)
    add_reading(world, NOW_MS)
    world.commit(pause(1, 1200), t_ms=NOW_MS - BOOT_UTC_MS, seq=500)
    heard = Heard(None, True)
    await clock.advance(1199)
    assert await check.look_at(DEVICE_ID, heard) == []
    await clock.advance(2)
    await check.look_at(DEVICE_ID, heard)
    assert open_alarms(world) == [(NOT_BACK, 3)]
    assert world.told() == [("NOT_BACK", "HIGH")]
    add_reading(world, NOW_MS + 1_201_000)
    await check.look_at(DEVICE_ID, heard)
    assert open_alarms(world) == []


@pytest.mark.parametrize(
    "after",
    [pause(2, 0), record_types.Boot(1, 1, 5, 0, 1, bytes(8), "0.1.0", b"", b"")],
    ids=["end", "restart"],
)
async def test_a_pause_that_ended_or_was_cut_by_a_restart_holds_nothing_back(world, after):
    clock = clock_now()
    check = silence(world, clock)
    add_reading(world, NOW_MS)
    world.commit(pause(1, 1200), t_ms=NOW_MS - BOOT_UTC_MS, seq=500)
    world.commit(after, t_ms=NOW_MS - BOOT_UTC_MS + 1000, seq=501)
    await clock.advance(200)
    await check.look_at(DEVICE_ID, Heard(None, True))
    assert open_alarms(world) == [(STALE_DATA, 1)]


async def test_a_pause_that_was_moved_ends_when_it_was_moved_to(world):
    clock = clock_now()
    check = silence(world, clock)
    add_reading(world, NOW_MS)
    world.commit(pause(1, 300), t_ms=NOW_MS - BOOT_UTC_MS, seq=500)
    world.commit(pause(1, 600), t_ms=NOW_MS - BOOT_UTC_MS + 100_000, seq=501)
    await clock.advance(690)
    assert await check.look_at(DEVICE_ID, Heard(None, True)) == []
    await clock.advance(11)
    await check.look_at(DEVICE_ID, Heard(None, True))
    assert open_alarms(world) == [(NOT_BACK, 3)]


async def test_a_time_that_is_known_badly_lengthens_no_pause(world):
    clock = clock_now()
    check = silence(world, clock)
    world.store.write_now(lambda tx: tx.execute("UPDATE time_marks SET bound_ms = 60000"))
    add_reading(world, NOW_MS)
    world.commit(pause(1, 1200), t_ms=NOW_MS - BOOT_UTC_MS, seq=500)
    await clock.advance(1130)
    assert await check.look_at(DEVICE_ID, Heard(None, True)) == []
    await clock.advance(11)
    await check.look_at(DEVICE_ID, Heard(None, True))
    assert open_alarms(world) == [(NOT_BACK, 3)]
