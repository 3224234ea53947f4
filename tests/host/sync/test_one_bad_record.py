"""One bad record harms one record: it is kept as bytes, acknowledged, marked and alarmed, and the sync goes on."""

import json

import pytest
from crs_core import codes, units
from crs_core.grade import grader
from crs_core.journal import block_writer, record_layout, record_types
from crs_core.wire import message as wire

from host_agent.store.devices import ensure_device
from host_agent.store.insertion import Insertion
from host_agent.store.rows import Derivation
from tests.host.escalation.world import alarm_record, grade_record
from tests.host.sync.conftest import alarms_of, until

PATIENT = b"bindings"
BAD = {
    "time 2^64-1": record_types.TimeMark((1 << 64) - 1, 0, 0x22),
    "time 2^60": record_types.TimeMark(1 << 60, 0, 0x22),
    "time 1970": record_types.TimeMark(0, 0, 0x22),
    "year 10000": record_types.TimeMark(253_402_300_800_000, 20, 0x22),
    "year 2100": record_types.TimeMark(4_102_444_800_000, 20, 0x22),
    "alarm priority 9": alarm_record({}, FEVER=2)._replace(changes=((3, 9),)),
    "alarm priority 4 of many": alarm_record({}, FEVER=2)._replace(changes=((1, 1), (2, 4))),
    "alarm 0": alarm_record({}, FEVER=2)._replace(changes=((0, 3),)),
    "grade 200": grade_record(200, 201),
    "grade upside down": grade_record(4, 1),
    "fever 77": grade_record(1, 4, fever=77),
    "status 99": grade_record(1, 4, status=99),
    "button 9": record_types.Button(9),
    "binding op 9": record_types.Binding(9, b"\xff" * 8, b"\xff\xfe"),
    "accepted priority 9": record_types.Accepted(3, 9, 1, "x"),
    "pause op 9": record_types.Pause(9, 200, 65535, 1),
    "maintenance op 9": record_types.Maintenance(9, 200),
    "boot long before": record_types.Boot(1, 1, 2**48 - 2, 0, 1, bytes(8), "", b"", b""),
}


@pytest.fixture
def bound(store, device):
    """The wearable is bound to a patient whom this laptop knows."""

    def bind(tx):
        device_row = ensure_device(tx, device.device_id, 1)
        tx.execute("INSERT INTO patients VALUES (1, 'P-1', '', 0)")
        tx.execute(
            "INSERT INTO bindings VALUES (1, ?, 1, ?, '', 'active', 0, NULL, '')", (PATIENT, device_row)
        )

    store.write_now(bind)
    device.bind(PATIENT)
    return device


def rows(store, sql):
    return store.read_now(lambda tx: tx.execute(sql).fetchall())


@pytest.mark.parametrize("name", BAD)
async def test_it_is_kept_acknowledged_marked_and_alarmed_once(store, bound, session, name) -> None:
    async with session(bound, synced=True) as (engine, _):
        for _ in range(3):
            bound.event(BAD[name])
            last = bound.event(record_types.Button(1))
        await until(lambda: bound.journal.acked_seq >= last, "acknowledged")
    bad_type = record_types.type_of(BAD[name])
    understood = rows(store, "SELECT type, understood FROM events ORDER BY seq")
    assert understood == [(bad_type, 0), (record_layout.BUTTON, 1)] * 3
    (payload,) = rows(
        store, f"SELECT DISTINCT payload FROM events WHERE understood = 0 AND type = {bad_type}"
    )
    assert payload[0] == record_types.encode(BAD[name])
    assert rows(store, "SELECT count(*) FROM host_alarms WHERE alarm = 55") == [(1,)]
    assert codes.NOT_UNDERSTOOD in alarms_of(store) and engine.counters.get("skipped", 0) == 0


@pytest.mark.parametrize("status", [7, 0x407, units.make_status(1, 0, 0, 3)])
async def test_a_reading_of_no_site_is_kept_in_its_block(store, bound, session, status) -> None:
    async with session(bound, synced=True):
        bound.journal.add_reading(units.Reading(10**6, 3700, 970, 80, 150, status))
        bound.journal.flush()
        bound.now_ms = 10**6
        bound.read_sensors(2)
        await until(lambda: bound.journal.acked_seq >= 3, "acknowledged")
    assert rows(store, "SELECT count(*) FROM readings") == [(2,)]
    assert rows(store, "SELECT understood FROM blocks ORDER BY first_seq") == [(0,), (1,)]
    assert codes.NOT_UNDERSTOOD in alarms_of(store)


async def test_a_newer_type_is_no_alarm(store, bound, session) -> None:
    async with session(bound, synced=True):
        bound.event(kind=200, payload=b"of a later version")
        await until(lambda: bound.journal.acked_seq >= 1, "acknowledged")
    assert alarms_of(store) == set()


class FailsAt(Derivation):
    """Cannot derive anything from one type of record."""

    def __init__(self, kind, error) -> None:
        self.kind, self.error, self.derived = kind, error, []

    def records(self, tx, journal, records) -> None:
        for event in records.events:
            tx.execute("INSERT INTO counters VALUES (?, 'derived', 1)", (event.seq,))
            if event.type == self.kind:
                raise self.error
            self.derived.append(event.seq)


@pytest.mark.parametrize(
    "error", [ValueError("x"), IndexError(), RecursionError(), OverflowError(), KeyError(7)]
)
async def test_a_record_that_cannot_be_derived_undoes_nothing_but_itself(
    store, bound, session, error
) -> None:
    derive = FailsAt(record_layout.FAULT, error)
    async with session(bound, derive=derive, synced=True):
        bound.event(record_types.Button(1))
        bound.event(record_types.Fault(1, 1, 1, ""))
        last = bound.event(record_types.Button(2))
        await until(lambda: bound.journal.acked_seq >= last, "acknowledged")
    assert derive.derived == [1, 3]
    assert rows(store, "SELECT device FROM counters WHERE name = 'derived' ORDER BY 1") == [(1,), (3,)]
    assert rows(store, "SELECT seq, understood FROM events ORDER BY seq") == [(1, 1), (2, 0), (3, 1)]
    assert codes.NOT_UNDERSTOOD in alarms_of(store)


async def test_a_block_that_cannot_be_stored_by_its_content_is_stored_as_bytes(
    store, bound, session, monkeypatch
) -> None:
    whole = Insertion.block

    def block(self, item):
        whole(self, item)
        if item.content and item.header.first_seq == 2:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")

    monkeypatch.setattr(Insertion, "block", block)
    async with session(bound, synced=True):
        for _ in range(3):
            last = bound.event(record_types.Button(1))
        await until(lambda: bound.journal.acked_seq >= last, "acknowledged")
    assert rows(store, "SELECT first_seq, understood FROM blocks ORDER BY 1") == [(1, 1), (2, 0), (3, 1)]
    assert rows(store, "SELECT seq FROM events ORDER BY 1") == [(1,), (3,)]
    assert codes.NOT_UNDERSTOOD in alarms_of(store)


async def test_a_step_that_cannot_be_re_run_ends_no_session(store, bound, session, monkeypatch) -> None:
    def step(*_):
        raise IndexError("site 7")

    monkeypatch.setattr(grader, "step", step)
    state = grader.encode_state(grader.new_state(), 1000)
    async with session(bound, synced=True) as (engine, _):
        from host_agent.sync.verify import _OWN_RULES

        bound.event(record_types.GraderState(1, _OWN_RULES, b"", state))
        bound.read_sensors(2)
        bound.event(record_types.Button(1))
        await until(lambda: bound.journal.acked_seq >= bound.journal.head_seq, "acknowledged")
        await until(lambda: codes.RECHECK_DISAGREES in alarms_of(store), "said")
        assert not engine.running.done()


LIVE = wire.Live(9, 3700, 970, 80, 10, 0x401, 0, None, None, [])


@pytest.mark.parametrize(
    ("message", "may_alarm"),
    [
        (LIVE._replace(status=0x407), True),
        (LIVE._replace(alarms=[(255, 255)] * 255), True),
        (LIVE._replace(fever=9), True),
        (LIVE._replace(lower=200, upper=201), True),
        (LIVE._replace(t_ms=2**48 - 1), True),
        (wire.Alarm(0, 5, [(3, 9)]), True),
        (wire.Alarm(0, 5, [(0, 3)]), True),
        (wire.TimeIs((1 << 64) - 1, 1, 5), False),
        (wire.TimeIs(0, 1, 5), False),
        (wire.StatusIs(1, 2**48 - 1, 5, 5, 1, 1, 0, 0, bytes(8), []), False),
    ],
)
async def test_a_message_that_cannot_be_true_is_said_and_the_session_goes_on(
    store, bound, session, message, may_alarm
) -> None:
    async with session(bound, synced=True) as (engine, ears):
        before = len(ears.lives), len(ears.doorbells)
        await bound.say(message)
        await until(lambda: ears.not_understood, "said")
        await bound.say(LIVE)
        await until(lambda: len(ears.lives) == before[0] + 1, "the next one")
        assert ears.not_understood[0][2] is may_alarm and len(ears.doorbells) == before[1]
        assert not engine.running.done()


async def test_a_listener_that_fails_at_a_message_ends_no_session(store, bound, session, monkeypatch) -> None:
    async with session(bound, synced=True) as (engine, ears):
        heard = ears.on_live

        def on_live(device_id, live):
            heard(device_id, live)
            if live.t_ms == 9:
                raise IndexError("tuple index out of range")

        ears.on_live = on_live
        await bound.say(LIVE)
        await bound.say(LIVE._replace(t_ms=10))
        await until(lambda: len(ears.lives) == 2 and ears.not_understood, "both")
        assert not engine.running.done()


async def test_a_record_long_after_its_boot_dates_no_other(store, bound, session) -> None:
    """A moment a day ahead of the wearable's own clock would otherwise date everything before it a day too early."""
    async with session(bound, synced=True):
        late = block_writer.encode_events(bound.journal.journal_id, 1, 1, [(86_400_000, 7, b"\x01")])
        await bound.say(wire.Block(late))
        await until(lambda: rows(store, "SELECT count(*) FROM events") == [(1,)], "stored")
    assert rows(store, "SELECT count(*) FROM boots") == [(0,)]
    assert json.dumps(rows(store, "SELECT understood FROM events")) == "[[1]]"
