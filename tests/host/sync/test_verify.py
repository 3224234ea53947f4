"""The exact re-run, against the firmware's own Monitor: every decision agrees, and each changed byte is noticed."""

from binascii import crc32
from types import SimpleNamespace
from typing import Any

import pytest
from crs_core import codes, units
from crs_core.grade import alarms, grader
from crs_core.grade.rules import DEFAULT, rule_hash
from crs_core.journal import record_layout, record_types, record_writer
from crs_device.health import Health
from crs_device.journal.event_log import EventLog
from crs_device.measuring.sampling import Vitals
from crs_device.monitor import Monitor

from host_agent.store.coverage import Coverage
from host_agent.store.db import Store
from host_agent.store.devices import ensure_device
from host_agent.store.host_alarms import open_alarms
from host_agent.store.insertion import IncomingBlock, IncomingGap, Insertion
from host_agent.store.journals import open_journal
from host_agent.store.rows import Derivation
from host_agent.sync.intake import unpack
from host_agent.sync.verify import Verifier
from tests.host.sync.conftest import on_flash
from tools.rig.protocol_wearable import DEVICE_ID, FakeDevice

HASH = rule_hash(DEFAULT)


def nothing(*_: Any) -> None:
    pass


class Deciding(Monitor):
    """The firmware's decisions without light and sound."""

    def show(self, now_ms: int) -> None:
        pass


class Wearable:
    """The real Monitor, stepped each second over a track of vitals, journaling into the real Journal."""

    def __init__(self, device: FakeDevice) -> None:
        self.device = device
        health = Health()
        vitals = Vitals(None, units.TEMP_ABSENT, None, None, None, None, units.PPG_ABSENT, None, 0)
        self.parts: Any = SimpleNamespace(
            health=health, log=EventLog(device.journal, health, nothing), vitals=vitals, in_maintenance=False,
            is_pairing=False,
            measure=lambda now_ms: self.parts.vitals, drain=nothing, ring=nothing, live=nothing,
            fault_bits=lambda: 0, power=SimpleNamespace(is_charging=False, is_low=False),
            schedule=None, sampling=None, pause_left_ms=lambda now_ms: -1, step_pause=nothing,
        )  # fmt: skip
        self.monitor = Deciding(self.parts, DEFAULT, HASH, units.SITE_AXILLA, 10)
        self.monitor.is_bound = True

    def begin(self) -> None:
        """The first records of a new binding."""
        self.parts.log.append(
            self.device.now_ms,
            record_layout.BINDING,
            record_writer.write(record_layout.BINDING, 1, b"bindings", b""),
        )
        self.monitor.journal_states(3, self.device.now_ms)

    def live(
        self, seconds: int, temp_cc: int | None, spo2_tenths: int | None, hr_bpm: int | None = 84
    ) -> None:
        for _ in range(seconds):
            self.device.now_ms += 1000
            self.parts.vitals = Vitals(
                temp_cc, units.TEMP_VALID if temp_cc else units.TEMP_OFF_BODY, 500 if temp_cc else None,
                spo2_tenths, hr_bpm, 150 if spo2_tenths else None,
                units.PPG_VALID if spo2_tenths else units.PPG_NO_CONTACT, 500 if spo2_tenths else None,
                units.WEAR_WORN if temp_cc or spo2_tenths else units.WEAR_OFF,
            )  # fmt: skip
            self.monitor.step(self.device.now_ms)

    def reboot(self) -> None:
        """A cut: buffered readings are lost, latches come back from the journal."""
        device = self.device
        device.journal.boot += 1
        device.journal.open()
        states = device.journal.last_state()
        prev_ms, device.now_ms = device.now_ms, 3000
        again = Wearable(device)
        assert states is not None
        again.monitor.resume(  # as crs_device.start does
            alarms.decode_state(states[0], device.now_ms),
            grader.after_boot(grader.decode_state(states[1], device.now_ms), DEFAULT),
        )
        states = again.monitor.states(device.now_ms + 1)  # `event` journals a millisecond on
        device.event(record_types.Boot(1, 1, prev_ms, 120_000, 1, HASH, "test", *states))
        self.parts, self.monitor = again.parts, again.monitor


@pytest.fixture
def wearable(device) -> Wearable:
    device.bind(b"bindings")
    made = Wearable(device)
    made.begin()
    return made


def episode(wearable: Wearable) -> None:
    """A fever, low oxygen, a strap off, back again."""
    wearable.live(600, 3700, 972)
    wearable.live(300, 3860, 955)
    wearable.live(120, 3870, 868)
    wearable.live(200, None, None, None)
    wearable.live(300, 3810, 940)
    wearable.live(900, 3720, 968)


def load(store: Any, device: FakeDevice, gaps: Any = ()) -> int:
    """Put the flash into the store as a session would, but without one."""

    def insert(tx: Any) -> int:
        row = ensure_device(tx, DEVICE_ID, 1)
        if not tx.execute("SELECT 1 FROM bindings").fetchone():
            tx.execute(
                "INSERT INTO bindings (binding_id, device, state, started_utc_ms) VALUES (?, ?, 'active', 1)",
                (b"bindings", row),
            )
        journal = open_journal(tx, row, device.journal.journal_id, b"bindings", 1).journal
        insertion = Insertion(tx, journal, Coverage(), 1)
        for raw in on_flash(device):
            for item in unpack(SimpleNamespace(data=raw), device.journal.journal_id, {}):
                assert isinstance(item, IncomingBlock)
                if item.header.first_seq not in gaps:
                    insertion.block(item)
                else:
                    insertion.gap(
                        IncomingGap(item.header.first_seq, item.header.first_seq + item.header.count - 1, 2)
                    )
        insertion.finish()
        return journal.id

    return store.write_now(insert)


def verify(store: Any, journal: int, limit: int = 100_000) -> list[Any]:
    while store.write_now(lambda tx: Verifier().advance(tx, Derivation(), journal, utc_ms=1, limit=limit)):
        pass
    return store.read_now(
        lambda tx: tx.execute(
            "SELECT seq, kind, device_says, host_says FROM disagreements ORDER BY id"
        ).fetchall()
    )


def kinds_of(store: Any) -> dict[int, int]:
    return dict(
        store.read_now(lambda tx: tx.execute("SELECT type, count(*) FROM events GROUP BY 1").fetchall())
    )


@pytest.mark.parametrize("limit", [1, 7, 100_000])
def test_every_decision_of_the_firmware_is_repeated_bit_by_bit(store, wearable, device, limit) -> None:
    episode(wearable)
    device.journal.flush()
    journal = load(store, device)
    counts = kinds_of(store)
    assert counts[record_layout.GRADE] >= 3 and counts[record_layout.ALARM] >= 5
    assert verify(store, journal, limit) == [] and store.read_now(open_alarms) == []
    done = store.read_now(lambda tx: tx.execute("SELECT verified_seq, cursor FROM journals").fetchone())
    assert done == (device.journal.head_seq, device.journal.head_seq)


def test_reboots_in_the_middle_agree_too(store, wearable, device) -> None:
    wearable.live(610, 3700, 972)
    wearable.live(95, 3860, 890)
    wearable.reboot()
    wearable.live(40, 3850, 860)
    wearable.reboot()
    wearable.live(600, 3700, 970)
    wearable.monitor.journal_states(1, device.now_ms)
    wearable.live(600, 3760, 970)
    device.journal.flush()
    assert verify(store, load(store, device)) == []


def test_a_hole_anywhere_is_waited_out_until_the_next_state_record(tmp_path, wearable, device) -> None:
    """Every block is missing once: what came after it is not blamed on the wearable."""
    wearable.live(100, 3700, 972)
    wearable.live(60, 3860, 868)
    wearable.live(100, 3700, 940)
    wearable.monitor.journal_states(1, device.now_ms)
    wearable.live(100, 3810, 940)
    device.journal.flush()
    firsts = [int.from_bytes(raw[10:14], "little") for raw in on_flash(device)]
    assert len(firsts) > 10
    for first_seq in firsts:
        with Store(tmp_path / f"{first_seq}.db") as store:
            assert verify(store, load(store, device, gaps={first_seq})) == [], first_seq


def test_a_grade_that_does_not_follow_from_its_readings_disagrees(store, wearable, device, monkeypatch):
    wearable.live(100, 3700, 972)
    real = grader.step

    def wrong(state: Any, reading: Any, now_ms: int, rules: Any) -> Any:
        after, said = real(state, reading, now_ms, rules)
        return after, said._replace(upper=2) if said.upper else said

    monkeypatch.setattr("crs_device.monitor.grader.step", wrong)
    wearable.live(60, 3860, 955)
    monkeypatch.undo()
    device.journal.flush()
    found = verify(store, load(store, device))
    assert {entry[1] for entry in found} == {"grade"}
    assert {a.alarm for a in store.read_now(open_alarms)} == {codes.RECHECK_DISAGREES}


def test_a_change_that_was_never_journaled_disagrees(store, wearable, device, monkeypatch) -> None:
    wearable.live(100, 3700, 972)
    with monkeypatch.context() as patch:
        patch.setattr("crs_device.monitor.Monitor._grade", nothing)
        wearable.live(60, 3860, 955)
    device.journal.flush()
    found = verify(store, load(store, device))
    assert found[0][1:3] == ("grade", "no change")


def test_a_state_that_does_not_follow_disagrees(store, wearable, device) -> None:
    wearable.live(100, 3700, 972)
    wearable.monitor.grader_state = grader.new_state()
    wearable.monitor.journal_states(1, device.now_ms)
    found = verify(store, load(store, device))
    assert [entry[1] for entry in found] == ["state"]


def test_a_grade_from_another_state_disagrees_even_when_it_says_the_same(store, wearable, device) -> None:
    wearable.live(100, 3700, 972)
    wearable.monitor.grader_state = grader.new_state()  # the baseline is gone
    wearable.live(20, 3860, 972)
    device.journal.flush()
    found = verify(store, load(store, device))
    assert [entry[1] for entry in found] == ["state"]


def alarm_record(now_ms: int, changes: list[tuple[int, int]], crc_flip: int = 0) -> Any:
    before = alarms.new_state()
    inputs = alarms.Inputs(
        temp_cc=3900, temp_state=0, temp_age_ms=0, spo2_tenths=970, hr_bpm=80, pi_hundredths=150, ppg_state=0,
        ppg_age_ms=0, wear=1, site=1, bound=1, faults=0, button=2, told=0,
    )  # fmt: skip
    after, true_changes = alarms.step(before, inputs, now_ms, DEFAULT)
    return record_types.Alarm(
        HASH, tuple(changes or true_changes), alarms.encode_inputs(inputs), alarms.encode_state(before, now_ms),
        crc32(alarms.encode_state(after, now_ms)) ^ crc_flip,
    )  # fmt: skip


def test_alarm_changes_are_stepped_again(store, wearable, device) -> None:
    device.event(alarm_record(device.now_ms + 1, []))
    wrong = device.event(alarm_record(device.now_ms + 1, [(codes.HYPOXAEMIA, 3)]))
    flipped = device.event(alarm_record(device.now_ms + 1, [], crc_flip=1))
    found = verify(store, load(store, device))
    assert [entry[:2] for entry in found] == [(wrong, "alarm"), (flipped, "alarm")]


def test_bytes_that_cannot_be_stepped_are_malformed(store, wearable, device) -> None:
    good = alarm_record(device.now_ms + 1, [])
    seq = device.event(good._replace(state_before=b"\xff\xff"))
    device.event(record_types.GraderState(1, HASH, b"", b"\x00"))
    found = verify(store, load(store, device))
    assert [entry[1] for entry in found] == ["malformed", "malformed"] and found[0][0] == seq


@pytest.mark.parametrize(
    "kind", [record_layout.GRADE, record_layout.ALARM, record_layout.BOOT, record_layout.GRADER_STATE]
)
def test_a_decision_whose_record_cannot_be_read_is_not_passed_over(store, wearable, device, kind) -> None:
    episode(wearable)
    seq = device.event(kind=kind, payload=b"\x01")
    found = verify(store, load(store, device))
    assert [entry[:2] for entry in found] == [(seq, "malformed")]


def test_rules_that_this_host_does_not_know_are_told_once(store, wearable, device) -> None:
    other = bytes(8)
    for _ in range(3):
        device.event(alarm_record(device.now_ms + 1, [])._replace(rule_hash=other))
    found = verify(store, load(store, device), limit=1)
    assert [entry[1] for entry in found] == ["rules"]


def test_without_disagreement_a_second_run_does_nothing(store, wearable, device) -> None:
    episode(wearable)
    device.journal.flush()
    journal = load(store, device)
    assert verify(store, journal) == []
    before = store.read_now(lambda tx: tx.execute("SELECT verify_state FROM journals").fetchone())
    assert verify(store, journal) == []
    assert store.read_now(lambda tx: tx.execute("SELECT verify_state FROM journals").fetchone()) == before
