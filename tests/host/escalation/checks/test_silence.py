"""Silence of a wearable over a real store and a clock that the test moves."""

import asyncio

import pytest
from crs_core.codes import FUTURE_DATA, NO_DATA_YET, NOT_BACK, STALE_DATA
from crs_core.journal import record_types

from host_agent.config.model import WatchdogSection
from host_agent.errors import StoreFull
from host_agent.escalation.checks import silence
from host_agent.escalation.checks.check import CheckParts
from host_agent.escalation.checks.silence import SilenceCheck
from host_agent.escalation.checks.silence_rules import Limits
from host_agent.store.time_marks import Mark, keep_mark
from host_agent.sync.live import Heard
from tests.fakes.fake_clock import FakeClock
from tests.host.escalation.world import BOOT_UTC_MS, DEVICE_ID, NOW_MS, World, alarm_record

LIMITS = Limits(**WatchdogSection().model_dump())
NOTHING = Heard(None, False)
HEARD = Heard(None, True)  # data came in this run, but no live values
NAME = "NO_DATA_YET"


MINUTE_MS = 60_000


class Bench:
    """A check over a real store. `look(seconds)` lets time go by, judges, and gives the open alarms."""

    def __init__(self, folder, *, bound=True):
        self.world, self.clock, self.unstored = World(folder, bound=bound), FakeClock(utc_ms=NOW_MS), []
        self.restart()

    def restart(self):
        """The agent starts anew."""
        parts = CheckParts(
            self.world.store, self.world.escalation, self.clock, lambda *about: self.unstored.append(about)
        )
        self.check = SilenceCheck(parts, LIMITS, heard=dict)

    async def look(self, seconds=0, heard=NOTHING, device_id=DEVICE_ID):
        await self.clock.advance(seconds)
        await self.check.look_at(device_id, heard)
        await self.check.look_at(device_id, heard)
        return self.open_alarms()

    def now(self):
        """Data came this moment."""
        return Heard(self.clock.monotonic(), True)

    def open_alarms(self):
        return self.world.query(
            "SELECT alarm, priority FROM host_alarms WHERE ended_utc_ms IS NULL ORDER BY alarm"
        )

    def sql(self, statement):
        self.world.store.write_now(lambda tx: tx.execute(statement))

    def reading(self, utc_ms):
        """One stored reading of that moment."""
        self.sql(
            f"INSERT INTO readings SELECT {self.world.journal.id}, (SELECT coalesce(max(seq), 0) + 1 FROM readings),"
            f" 1, {utc_ms - BOOT_UTC_MS}, 3700, 970, 80, 150, 9, 0"
        )

    def pause(self, op, left_s, after_ms=0, seq=500):
        """A pause that begins (op 1) or ends (op 2)."""
        self.world.commit(
            record_types.Pause(op, 1, left_s, 0x11), t_ms=NOW_MS - BOOT_UTC_MS + after_ms, seq=seq,
            received_ms=NOW_MS + after_ms,
        )  # fmt: skip


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.world.store.close()


async def test_silence_from_start_grows_is_stored_and_sent_at_each_step(bench):
    for seconds, expected in [
        (60, []), (60, [(NO_DATA_YET, 1)]), (780, [(NO_DATA_YET, 2)]), (900, [(NO_DATA_YET, 3)]),
    ]:  # fmt: skip
        assert await bench.look(seconds) == expected
    assert bench.world.told() == [(NAME, "LOW"), (NAME, "MEDIUM"), (NAME, "HIGH")]


async def test_data_ends_it_and_silence_afterwards_is_stale(bench):
    await bench.look(200)
    heard = bench.now()
    assert await bench.look(0, heard) == [] and await bench.look(181, heard) == [(STALE_DATA, 1)]
    assert await bench.look(0, bench.now()) == []
    assert bench.world.told() == [(NAME, "LOW"), ("STALE_DATA", "LOW")]


async def test_after_a_restart_an_open_alarm_stays_and_is_not_sent_again(bench):
    bench.reading(NOW_MS - 3_000_000)
    assert await bench.look(121) == [(NO_DATA_YET, 3)]
    bench.restart()
    assert await bench.look() == [(NO_DATA_YET, 3)], "not over because an agent started"
    await bench.look(121)
    assert bench.world.told() == [(NAME, "HIGH")]


@pytest.mark.parametrize(
    ("name", "ended_min", "later_s", "priority"),
    [
        ("HYPOXAEMIA", 20, 0, 3),  # it ended within the last hour
        ("HYPOXAEMIA", 20, 30 * 60, 1),  # it ended more than an hour ago
        ("JOURNAL_FAULT", None, 0, 1),  # a technical alarm does not count
    ],
)
async def test_it_starts_at_the_priority_of_a_physiological_alarm_of_the_last_hour(
    bench, name, ended_min, later_s, priority
):
    bench.world.commit(alarm_record({}, **{name: 3}), t_ms=10 * MINUTE_MS)
    if ended_min:
        bench.world.commit(alarm_record({name: 3}, **{name: 0}), t_ms=ended_min * MINUTE_MS)
    await bench.clock.advance(later_s)
    bench.restart()
    assert await bench.look(121) == [(NO_DATA_YET, priority)]


async def test_future_data_is_an_alarm_until_time_has_caught_up(bench):
    bench.reading(NOW_MS + 3_600_000)
    assert await bench.look(0, bench.now()) == [(FUTURE_DATA, 1)]
    await bench.clock.advance(3600)
    assert await bench.look(0, bench.now()) == []


LIE = "INSERT INTO time_marks VALUES (1, 1, {t_ms}, 'journal', {utc_ms}, {bound_ms}, 34, 0)"
DAY_MS = 86_400_000


@pytest.mark.parametrize("bound_ms", [0, 1000, 2**32 - 1])
@pytest.mark.parametrize(
    "ahead_ms", [61_000, 3_600_000, 3650 * DAY_MS, -3_600_000, 2**60, 2**63 - 1 - 2 * NOW_MS]
)
@pytest.mark.parametrize("own", [False, True])
async def test_a_wearable_that_stops_is_silent_whatever_a_time_mark_says(bench, ahead_ms, bound_ms, own):
    """One reading came and was stored just now; then nothing more."""
    t_ms = NOW_MS - BOOT_UTC_MS
    bench.sql(LIE.format(t_ms=t_ms, utc_ms=NOW_MS + ahead_ms, bound_ms=bound_ms))
    if own:
        bench.sql("UPDATE time_marks SET own = 1 WHERE t_ms > 0")
    bench.reading(NOW_MS)
    heard = Heard(None, True, bench.clock.monotonic())
    assert STALE_DATA in {alarm for alarm, _ in await bench.look(181, heard)}
    assert (STALE_DATA, 3) in await bench.look(1800, heard)


@pytest.mark.parametrize("by_ms", [-3_600_000, -86_400_000, 3_600_000])
async def test_a_clock_that_is_set_hides_no_silence(bench, by_ms):
    bench.reading(NOW_MS)
    heard = Heard(None, True, bench.clock.monotonic())
    await bench.look(0, heard)
    bench.clock.set(by_ms)
    assert STALE_DATA in {alarm for alarm, _ in await bench.look(181, heard)}


async def test_after_a_restart_what_came_before_is_no_younger_than_the_run(bench):
    bench.reading(NOW_MS + 3_600_000)
    live = Heard(bench.clock.monotonic(), True)
    await bench.look(0, live)
    assert STALE_DATA in {alarm for alarm, _ in await bench.look(181, live)}


async def test_a_clock_that_is_set_back_lengthens_no_pause(bench):
    bench.reading(NOW_MS)
    bench.pause(1, 1200)
    heard = Heard(None, True, bench.clock.monotonic())
    assert await bench.look(0, heard) == []
    bench.clock.set(-3_600_000)
    assert await bench.look(1190, heard) == [(FUTURE_DATA, 1)]
    assert (NOT_BACK, 3) in await bench.look(20, heard)


@pytest.mark.parametrize(
    "left_s, ahead_ms", [(1801, 0), (65535, 0), (600, 3_600_000), (1800, 30 * 86_400_000)]
)
async def test_a_pause_longer_than_any_is_granted_or_dated_ahead_holds_nothing_back(bench, left_s, ahead_ms):
    bench.reading(NOW_MS)
    own = Mark(1, NOW_MS - BOOT_UTC_MS, NOW_MS, 0, True, 0x11)
    bench.world.store.write_now(lambda tx: keep_mark(tx, bench.world.journal.device, own, "live"))
    bench.world.commit(
        record_types.Pause(1, 1, left_s, 0x11),
        t_ms=NOW_MS - BOOT_UTC_MS + ahead_ms,
        seq=500,
        received_ms=NOW_MS,
    )
    heard = Heard(None, True, bench.clock.monotonic())
    assert await bench.look(0, heard) == []
    assert STALE_DATA in {alarm for alarm, _ in await bench.look(200, heard)}


async def test_patient_end_disarms(bench):
    assert await bench.look(5000) == [(NO_DATA_YET, 3)]
    bench.sql("UPDATE bindings SET state = 'ended'")
    assert await bench.look() == []


async def test_a_wearable_that_was_never_bound_stays_low(tmp_path):
    bench = Bench(tmp_path, bound=False)
    assert await bench.look(5000) == [(NO_DATA_YET, 1)]
    bench.world.store.close()


async def test_an_enrolled_wearable_that_was_never_seen_is_watched(bench):
    await bench.look(121, device_id=b"NEVERSEE")
    assert bench.world.told() == [(NAME, "LOW")]
    assert bench.world.outbox()[0]["device"]["id"] == b"NEVERSEE".hex()


async def test_a_store_that_fails_does_not_silence_it(bench, monkeypatch):
    async def failing(fn):
        raise StoreFull("full")

    monkeypatch.setattr(bench.world.store, "write", failing)
    assert await bench.look(121) == []
    assert {(device_id, finding.alarm) for device_id, finding in bench.unstored} == {(DEVICE_ID, NO_DATA_YET)}
    monkeypatch.undo()
    assert await bench.look() == [(NO_DATA_YET, 1)]


async def test_an_announced_pause_is_waited_for_and_then_sent_as_high(bench):
    bench.reading(NOW_MS)
    bench.pause(1, 1200)
    assert await bench.look(1199, HEARD) == [] and await bench.look(2, HEARD) == [(NOT_BACK, 3)]
    assert bench.world.told() == [("NOT_BACK", "HIGH")]
    bench.reading(NOW_MS + 1_201_000)
    assert await bench.look(0, HEARD) == []


@pytest.mark.parametrize("how", ["end", "restart"])
async def test_a_pause_that_ended_or_was_cut_by_a_restart_holds_nothing_back(bench, how):
    bench.reading(NOW_MS)
    bench.pause(1, 1200)
    if how == "end":
        bench.pause(2, 0, 1000, 501)
    else:
        boot = record_types.Boot(1, 1, 5, 0, 1, bytes(8), "0.1.0", b"", b"")
        bench.world.commit(boot, t_ms=NOW_MS - BOOT_UTC_MS + 1000, seq=501, received_ms=NOW_MS + 1000)
    assert await bench.look(200, HEARD) == [(STALE_DATA, 1)]


async def test_a_pause_that_was_moved_ends_when_it_was_moved_to(bench):
    bench.reading(NOW_MS)
    bench.pause(1, 300)
    bench.pause(1, 600, 100_000, 501)
    assert await bench.look(690, HEARD) == [] and await bench.look(11, HEARD) == [(NOT_BACK, 3)]


async def test_a_time_that_is_known_badly_lengthens_no_pause(bench):
    bench.sql("UPDATE time_marks SET bound_ms = 60000")
    bench.reading(NOW_MS)
    bench.pause(1, 1200)
    assert await bench.look(1130, HEARD) == [] and await bench.look(11, HEARD) == [(NOT_BACK, 3)]


async def test_a_store_that_never_answers_silences_nothing(bench, monkeypatch, caplog):
    async def never(_):
        await asyncio.Event().wait()

    parts = CheckParts(
        bench.world.store, bench.world.escalation, bench.clock, lambda *about: bench.unstored.append(about)
    )
    monkeypatch.setattr(bench.world.store, "read", never)
    check = SilenceCheck(parts, LIMITS, heard=lambda: {DEVICE_ID: NOTHING}, store_real_s=0.01)
    await bench.clock.advance(200)
    await check.look()
    ((device_id, finding),) = bench.unstored
    assert (device_id, finding.alarm) == (DEVICE_ID, NO_DATA_YET)
    assert "no answer in 0.01 s" in caplog.text


async def test_a_wearable_that_cannot_be_judged_hides_no_other(bench, monkeypatch):
    def read(tx, device):
        if device == 1:
            raise IndexError("priority 9")
        return whole(tx, device)

    whole = silence.newest_reading
    monkeypatch.setattr(silence, "newest_reading", read)
    parts = CheckParts(
        bench.world.store, bench.world.escalation, bench.clock, lambda *about: bench.unstored.append(about)
    )
    check = SilenceCheck(parts, LIMITS, heard=lambda: {DEVICE_ID: NOTHING, b"NEVERSEE": NOTHING})
    await bench.clock.advance(200)
    await check.look()
    assert [(device_id, finding.alarm) for device_id, finding in bench.unstored] == [(DEVICE_ID, NO_DATA_YET)]
    assert bench.world.outbox()[0]["device"]["id"] == b"NEVERSEE".hex()
