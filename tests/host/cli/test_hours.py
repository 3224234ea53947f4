"""Monitored hours from a store whose readings are known: gaps, two boots, pauses, midnight, what nothing dates."""

import datetime

import pytest
from crs_core import units
from crs_core.journal import record_layout, record_types
from crs_core.units import make_status

from host_agent.views.hours import KINDS, hours_rows
from tests.host.escalation.world import DEVICE_ID, World

NOON_MS = round(datetime.datetime(2026, 3, 31, 12, tzinfo=datetime.UTC).timestamp() * 1000)
HOUR_MS = 3_600_000
WORN = make_status(units.SITE_AXILLA, 0, 0, units.WEAR_WORN)
OFF = make_status(units.SITE_AXILLA, units.TEMP_OFF_BODY, units.PPG_NO_CONTACT, units.WEAR_OFF)
SETTLING = make_status(units.SITE_AXILLA, units.TEMP_SETTLING, 0, units.WEAR_WORN)


class Ledger:
    """A bound wearable; `read` stores readings of one boot, `hours` asks for the sums in minutes."""

    def __init__(self, folder, start_ms=NOON_MS):
        self.world = World(folder)
        self.seq = 0
        self.start_ms = start_ms
        self.sql("DELETE FROM time_marks")
        self.sql("UPDATE bindings SET started_utc_ms = ?", start_ms)
        self.mark(1, start_ms)

    def sql(self, text, *values):
        self.world.store.write_now(lambda tx: tx.execute(text, values))

    def mark(self, boot, utc_ms):
        self.sql("INSERT INTO time_marks VALUES (1, ?, 0, 'journal', ?, 0, NULL, 0)", boot, utc_ms)

    def read(self, from_s, to_s, status=WORN, *, boot=1, each_s=10, temp=3700, spo2=970, simulated=0):
        rows = []
        for t_s in range(from_s, to_s, each_s):
            self.seq += 1
            rows.append(
                (self.world.journal.id, self.seq, boot, t_s * 1000, temp, spo2, 80, 150, status, simulated)
            )  # fmt: skip
        self.world.store.write_now(
            lambda tx: tx.executemany("INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        )

    def rows(self, now_ms=None, **asked):
        now_ms = self.start_ms + HOUR_MS if now_ms is None else now_ms
        asked = {"device": None, "day": None, "utc": True} | asked
        return self.world.store.read_now(lambda tx: hours_rows(tx, now_ms=now_ms, **asked))

    def minutes(self, now_ms=None, **asked):
        """{kind: minutes} of the one row."""
        (row,) = self.rows(now_ms, **asked)
        return {kind: row[f"{kind}_ms"] / 60_000 for kind in ("span", *KINDS) if row[f"{kind}_ms"]}


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path)
    yield made
    made.world.store.close()


def test_readings_stand_for_their_interval_and_the_rest_is_lost(ledger):
    ledger.read(0, 1800)
    ledger.read(2400, 3600)
    assert ledger.minutes() == {"span": 60, "temperature": 50, "spo2": 50, "both": 50, "lost": 10}


def test_one_lonely_reading_is_ten_seconds(ledger):
    ledger.read(600, 610)
    assert ledger.minutes()["both"] == pytest.approx(1 / 6)


def test_each_value_counts_alone_and_only_when_it_may_be_used(ledger):
    ledger.read(0, 600, SETTLING)
    ledger.read(600, 1200, make_status(units.SITE_AXILLA, 0, units.PPG_LOW_PERFUSION, units.WEAR_WORN))
    ledger.read(1200, 1800, make_status(units.SITE_NONE, 0, 0, units.WEAR_WORN))
    ledger.read(1800, 2400, temp=9000, spo2=100)
    ledger.read(2400, 3000, make_status(units.SITE_AXILLA, 0, 0, units.WEAR_OFF))
    ledger.read(3000, 3600)
    assert ledger.minutes() == {"span": 60, "temperature": 20, "spo2": 30, "both": 10, "not_worn": 10}


def test_a_planned_pause_is_not_not_worn_and_charging_stands_beside_all(ledger):
    ledger.read(0, 1200, OFF | units.STATUS_PAUSED | units.STATUS_CHARGING)
    ledger.read(1200, 1800, OFF)
    ledger.read(1800, 3600, WORN | units.STATUS_CHARGING)
    assert ledger.minutes() == {
        "span": 60, "temperature": 30, "spo2": 30, "both": 30, "pause": 20, "charging": 50, "not_worn": 10,
    }  # fmt: skip


def test_two_boots_with_a_cut_between_them(ledger):
    ledger.read(0, 1200)
    ledger.mark(2, NOON_MS + 1_800_000)
    ledger.read(0, 1800, boot=2)
    assert ledger.minutes() == {"span": 60, "temperature": 50, "spo2": 50, "both": 50, "lost": 10}


def test_boots_whose_times_overlap_are_not_counted_twice(ledger):
    ledger.read(0, 3600)
    ledger.mark(2, NOON_MS + 1_800_000)
    ledger.read(0, 1800, boot=2)
    assert ledger.minutes() == {"span": 60, "temperature": 60, "spo2": 60, "both": 60}


def test_what_nothing_dates_is_in_no_column_but_lost(ledger):
    ledger.read(0, 1800)
    ledger.read(0, 600, boot=9)
    (row,) = ledger.rows()
    assert row["undated_readings"] == 60 and (row["both_ms"], row["lost_ms"]) == (HOUR_MS // 2, HOUR_MS // 2)


def test_the_interval_of_the_settings_in_force_is_the_bound(ledger):
    text = "reading_interval_s=60\nsite=axilla\n"
    payload = record_types.encode(record_types.Settings(1, bytes(8), 1, text))
    ledger.read(0, 600, each_s=60)  # made at an interval of 10 s: five of six are lost
    ledger.seq += 1
    ledger.sql(
        "INSERT INTO events VALUES (?, ?, 1, 600000, ?, ?, 0, 1)",
        ledger.world.journal.id, ledger.seq, record_layout.SETTINGS, payload,
    )  # fmt: skip
    ledger.read(600, 1200, each_s=60)
    assert ledger.minutes()["both"] == pytest.approx(10 / 6 + 10)


def test_days_are_cut_at_midnight_of_the_zone(ledger, monkeypatch):
    ledger.read(0, 86_400)
    day = NOON_MS + 24 * HOUR_MS
    assert [(row["day"], row["both_ms"] / HOUR_MS) for row in ledger.rows(day)] == [
        ("2026-03-31", 12), ("2026-04-01", 12),
    ]  # fmt: skip
    assert ledger.minutes(day, day="2026-04-01")["both"] == 720
    monkeypatch.setenv("TZ", "America/New_York")
    import time

    time.tzset()
    try:
        assert [(row["day"], row["both_ms"] / HOUR_MS) for row in ledger.rows(day, utc=False)] == [
            ("2026-03-31", 16), ("2026-04-01", 8),
        ]  # fmt: skip
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_sums_end_with_the_binding_and_other_wearables_are_left_out(ledger):
    ledger.read(0, 3600)
    ledger.sql("UPDATE bindings SET state = 'ended', ended_utc_ms = ?", NOON_MS + HOUR_MS // 2)
    assert ledger.minutes(NOON_MS + 9 * HOUR_MS) == {"span": 30, "temperature": 30, "spo2": 30, "both": 30}
    assert len(ledger.rows(device=DEVICE_ID.hex()[:6])) == 1 and ledger.rows(device="ffff") == []


def test_without_a_single_reading_everything_is_lost(ledger):
    assert ledger.minutes() == {"span": 60, "lost": 60}


def test_records_outside_a_binding_count_for_nobody(ledger):
    ledger.read(0, 1800)
    ledger.sql("UPDATE journals SET binding = NULL")
    assert ledger.minutes() == {"span": 60, "lost": 60}


@pytest.mark.parametrize("simulated", [0, 1])
def test_simulated_readings_mark_their_rows(ledger, simulated):
    ledger.read(0, 60, simulated=simulated)
    assert ledger.rows()[0]["simulated"] is bool(simulated)
