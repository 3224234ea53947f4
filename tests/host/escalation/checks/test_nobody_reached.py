"""NOBODY_REACHED over a real store: an alarm that stands and that no receiver took, and nothing else."""

import pytest
from crs_core import codes

from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts
from host_agent.escalation.checks.nobody_reached import NobodyReachedCheck
from host_agent.forward.worker import Undelivered
from host_agent.store import outbox
from host_agent.store.undelivered import retry_standing
from tests.fakes.fake_clock import FakeClock
from tests.host.escalation.world import DEVICE_ID, NOW_MS, World, alarm_record, grade_record

OPEN = (
    f"SELECT priority, detail FROM host_alarms WHERE alarm = {codes.NOBODY_REACHED} AND ended_utc_ms IS NULL"
)


class Bench(World):
    """`ward` and `study` are receivers; `advance` moves the clock, `settle` says what became of deliveries."""

    def __init__(self, folder, targets=("ward", "study")):
        super().__init__(folder)
        self.clock = FakeClock(NOW_MS + 5)
        self.in_memory = []
        self.alarmed = []
        parts = CheckParts(
            self.store, self.escalation, self.clock, lambda device_id, finding: self.alarmed.append(finding)
        )
        self.taken = set()
        self.check = NobodyReachedCheck(
            parts, targets, self.clock, lambda: self.in_memory, taken=lambda: self.taken
        )

    def settle(self, state, target=None, alarm=None):
        """Every waiting delivery, or those of one receiver or alarm, is delivered or refused."""

        def write(tx):
            for row, to, about in tx.execute(
                "SELECT id, target, alarm FROM outbox WHERE state = 'pending'"
            ).fetchall():
                if target in (None, to) and alarm in (None, about):
                    if state == "delivered":
                        outbox.mark_delivered(tx, row, NOW_MS)
                    else:
                        outbox.mark_refused(tx, row, "HTTP 400")

        self.store.write_now(write)

    async def look(self, seconds=0.0):
        """(priority, detail) of the open alarm, after three looks."""
        await self.clock.advance(seconds)
        for _ in range(3):
            await self.check.look()
        return self.query(OPEN)


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.store.close()


async def test_a_high_alarm_that_nobody_took_in_two_minutes_and_its_end_by_one_delivery(bench):
    bench.commit(alarm_record({}, HYPOXAEMIA=3))
    assert await bench.look(119) == [] and bench.check.sounding == set()
    ((priority, detail),) = await bench.look(2)
    assert (priority, detail) == (
        3, "HYPOXAEMIA: ward has not taken it in time; HYPOXAEMIA: study has not taken it in time"
    )  # fmt: skip
    assert bench.check.sounding == {DEVICE_ID}
    bench.settle("delivered", "study", codes.HYPOXAEMIA)
    assert await bench.look() == [] and bench.check.sounding == set()


async def test_a_medium_alarm_has_ten_minutes_and_a_low_one_no_limit(bench):
    bench.commit(alarm_record({}, FEVER=2, LOW_BATTERY=1))
    assert await bench.look(599) == []
    ((priority, detail),) = await bench.look(2)
    assert priority == 3 and "FEVER" in detail and "LOW_BATTERY" not in detail


async def test_a_refusal_counts_at_once_and_of_a_low_alarm_it_does_not_sound_on_the_wearable(bench):
    bench.commit(alarm_record({}, LOW_BATTERY=1))
    bench.settle("refused")
    ((priority, detail),) = await bench.look()
    assert (priority, "refused it (HTTP 400)" in detail) == (1, True) and bench.check.sounding == set()
    bench.commit(alarm_record({"LOW_BATTERY": 1}, HYPOXAEMIA=3))
    bench.settle("refused")
    assert (await bench.look())[0][0] == 3 and bench.check.sounding == {DEVICE_ID}


async def test_what_one_receiver_took_has_reached_somebody(bench):
    bench.commit(alarm_record({}, HYPOXAEMIA=3))
    bench.settle("delivered", "ward")
    bench.settle("refused", "study")
    assert await bench.look(3600) == []


async def test_a_later_event_of_the_same_alarm_that_was_delivered_counts(bench):
    bench.commit(alarm_record({}, HYPOXAEMIA=2))
    bench.settle("refused")
    assert await bench.look() != []
    bench.commit(alarm_record({"HYPOXAEMIA": 2}, HYPOXAEMIA=3))
    bench.settle("delivered", alarm=codes.HYPOXAEMIA)
    assert await bench.look() == []


async def test_an_earlier_delivery_says_nothing_of_a_later_rise(bench):
    for before, now in (({}, 3), ({"HYPOXAEMIA": 3}, 2)):
        bench.commit(alarm_record(before, HYPOXAEMIA=now))
        bench.settle("delivered")
    assert await bench.look() == []
    bench.commit(alarm_record({"HYPOXAEMIA": 2}, HYPOXAEMIA=3))
    bench.settle("refused")
    assert len(await bench.look()) == 1


async def test_an_alarm_whose_acceptance_lapsed_stands_again(bench):
    bench.commit(alarm_record({}, HYPOXAEMIA=3))
    bench.settle("refused")
    accepted = f"UPDATE episodes SET state = 'accepted', acceptance_lapses_utc_ms = {NOW_MS + 60_000}"
    bench.store.write_now(lambda tx: tx.execute(accepted))
    assert await bench.look() == []
    assert len(await bench.look(61)) == 1 and bench.check.sounding == {DEVICE_ID}


@pytest.mark.parametrize(
    "end",
    ["UPDATE episodes SET state = 'accepted'", "UPDATE episodes SET state = 'closed', priority = 0",
     "UPDATE bindings SET state = 'ended'"],
)  # fmt: skip
async def test_it_ends_when_a_person_accepts_the_alarm_ends_or_the_patient_goes(bench, end):
    bench.commit(alarm_record({}, HYPOXAEMIA=3))
    bench.settle("refused")
    assert len(await bench.look()) == 1
    bench.store.write_now(lambda tx: tx.execute(end))
    assert await bench.look() == []


async def test_it_is_raised_and_sent_once_and_never_about_itself(bench):
    bench.commit(alarm_record({}, HYPOXAEMIA=3))
    bench.settle("refused")
    for _ in range(5):
        await bench.look(60)
        bench.settle("refused")
    rows = bench.query(
        f"SELECT target, state FROM outbox WHERE alarm = {codes.NOBODY_REACHED} ORDER BY target"
    )
    assert rows == [("study", "refused"), ("ward", "refused")]
    assert "NOBODY_REACHED" not in bench.query(OPEN)[0][1]


async def test_a_grade_rise_that_was_refused_stands_for_an_hour(bench):
    bench.commit(grade_record(2))
    bench.settle("refused")
    assert "grade rise" in (await bench.look())[0][1]
    assert await bench.look(3601) == []


async def test_without_receivers_every_high_alarm_reaches_nobody(tmp_path):
    bench = Bench(tmp_path, targets=())
    bench.escalation._targets = ()
    bench.commit(alarm_record({}, FEVER=2))
    assert await bench.look() == []
    bench.commit(alarm_record({"FEVER": 2}, HYPOXAEMIA=3))
    assert await bench.look() == [(3, "no receiver that reaches a person is configured")]
    assert bench.check.sounding == {DEVICE_ID}
    bench.commit(alarm_record({"FEVER": 2, "HYPOXAEMIA": 3}, HYPOXAEMIA=0))
    assert await bench.look() == []
    bench.store.close()


@pytest.mark.parametrize("how", ["refused", "waiting"])
async def test_what_only_a_log_took_has_reached_nobody(tmp_path, how):
    bench = Bench(tmp_path, targets=("ward",))  # "study" is a log: it gets every event and calls nobody
    bench.commit(alarm_record({}, HYPOXAEMIA=3))
    bench.settle("delivered", "study")
    if how == "refused":
        bench.settle("refused", "ward")
    assert (await bench.look(121))[0][0] == 3
    assert bench.check.sounding == {DEVICE_ID}
    bench.settle("delivered", "study")
    assert len(await bench.look()) == 1, "nor does the log's own row about it end it"
    bench.store.write_now(
        lambda tx: tx.execute("UPDATE outbox SET state = 'delivered' WHERE target = 'ward'")
    )
    assert await bench.look() == []
    bench.store.close()


async def test_a_log_that_took_it_and_whose_row_could_not_be_noted_has_told_nobody(tmp_path):
    bench = Bench(tmp_path, targets=("ward",))
    bench.commit(alarm_record({}, HYPOXAEMIA=3))
    bench.taken = {row for (row,) in bench.query("SELECT id FROM outbox WHERE target = 'study'")}
    assert (await bench.look(121))[0][0] == 3
    bench.store.close()


async def test_simulated_events_that_every_receiver_withholds_are_no_alarm(bench):
    bench.commit(alarm_record({}, HYPOXAEMIA=3), simulated=True)
    bench.settle("delivered", "study")
    assert await bench.look(3600) == []


async def test_a_night_without_the_laptop_counts_from_its_start(bench):
    bench.commit(alarm_record({}, HYPOXAEMIA=3))
    bench.store.write_now(lambda tx: tx.execute("UPDATE outbox SET created_utc_ms = ?", (NOW_MS - 10**8,)))
    assert await bench.look(60) == [] and len(await bench.look(61)) == 1


async def test_a_clock_that_was_set_back_hides_nothing(bench):
    bench.commit(alarm_record({}, HYPOXAEMIA=3))
    bench.store.write_now(lambda tx: tx.execute("UPDATE outbox SET created_utc_ms = ?", (NOW_MS + 10**9,)))
    assert len(await bench.look(1)) == 1


async def test_what_was_refused_before_a_restart_is_sent_again_and_stands_until_then(bench):
    bench.commit(alarm_record({}, HYPOXAEMIA=3))
    bench.settle("refused")
    assert len(await bench.look()) == 1
    again = bench.store.write_now(lambda tx: retry_standing(tx, NOW_MS + 10, NOW_MS + 10**6))
    assert again >= 2 and len(await bench.look()) == 1, "it is not known yet whether it is taken"
    bench.settle("delivered")
    assert await bench.look() == []


@pytest.mark.parametrize("created_ms, again", [(-1, True), (5, False), (10**7, True)])
async def test_what_was_refused_by_a_clock_since_set_back_is_from_before_the_restart(
    bench, created_ms, again
):
    bench.commit(alarm_record({}, HYPOXAEMIA=3))
    bench.settle("refused")
    bench.store.write_now(
        lambda tx: tx.execute("UPDATE outbox SET created_utc_ms = ?", (NOW_MS + created_ms,))
    )
    assert bool(bench.store.write_now(lambda tx: retry_standing(tx, NOW_MS + 10, NOW_MS))) == again


async def test_what_waits_in_memory_is_judged_too_and_raised_past_a_store_that_fails(bench, monkeypatch):
    share = DEVICE_ID.hex()
    bench.in_memory = [Undelivered(share, 3, "alarm-3", bench.clock.utc_ms(), False, "no route")]
    assert await bench.look(119) == []
    await bench.look(2)
    assert bench.query(OPEN) == [(3, "not taken in time: no route")] and bench.check.sounding == {DEVICE_ID}
    bench.in_memory = [Undelivered(share, 3, f"host-{codes.NOBODY_REACHED}", 0, True, "HTTP 400")]
    assert await bench.look() == []
    bench.in_memory = [Undelivered(share, 3, "alarm-3", bench.clock.utc_ms(), True, "HTTP 400")]
    bench.store._writer.submit(lambda: bench.store._conn.execute("PRAGMA query_only = ON")).result()
    await bench.check.look()
    assert bench.alarmed[0].alarm == codes.NOBODY_REACHED and bench.check.sounding == {DEVICE_ID}


async def test_a_stored_alarm_that_becomes_late_is_raised_past_a_store_that_takes_nothing(bench):
    bench.commit(alarm_record({}, HYPOXAEMIA=3))
    assert await bench.look() == []
    bench.store._writer.submit(lambda: bench.store._conn.execute("PRAGMA query_only = ON")).result()
    await bench.look(121)
    assert bench.alarmed[0].alarm == codes.NOBODY_REACHED and bench.check.sounding == {DEVICE_ID}


async def test_what_a_receiver_took_ends_the_sound_while_the_store_takes_nothing(bench):
    bench.commit(alarm_record({}, HYPOXAEMIA=3))
    assert await bench.look() == []
    bench.store._writer.submit(lambda: bench.store._conn.execute("PRAGMA query_only = ON")).result()
    await bench.look(121)
    assert bench.check.sounding == {DEVICE_ID}
    bench.taken = {row for (row,) in bench.query("SELECT id FROM outbox WHERE target = 'study'")}
    await bench.look(1)
    assert bench.check.sounding == set()


async def test_what_was_delivered_from_memory_ends_the_sound_while_the_store_cannot_be_read(
    bench, monkeypatch
):
    async def failing(fn):
        raise StoreError("the disk answered with an error")

    monkeypatch.setattr(bench.store, "read", failing)
    monkeypatch.setattr(bench.store, "write", failing)
    bench.in_memory = [Undelivered(DEVICE_ID.hex(), 3, "alarm-3", 0, True, "HTTP 400")]
    await bench.check.look()
    assert bench.check.sounding == {DEVICE_ID}
    bench.in_memory = []
    await bench.check.look()
    assert bench.check.sounding == set()
