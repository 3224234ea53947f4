"""A reader's key on the real firmware: it silences nothing, dates nothing, wears nothing, and nobody is there by it."""

from pathlib import Path

from crs_core import codes
from crs_core.journal import record_layout
from crs_core.keys import Key
from crs_core.wire import message as wire
from crs_core.wire import rights

from tools.rig.host import of_type, pull
from tools.rig.image import CUSTODIAN, READER, build_image
from tools.rig.wearable import Wearable, ready

HIGH = 3
UTC_MS = 1_800_000_000_000
NURSE = Key(0x33333333, rights.OTHER + rights.READ + rights.ACCEPT, bytes(range(64, 96)), "nurse")


def test_a_reader_silences_no_alarm_and_a_key_that_may_accept_does_until_it_lapses(tmp_path: Path) -> None:
    with ready(tmp_path, scenario="hypoxaemia", speed=60, keys=(CUSTODIAN, READER, NURSE)) as wearable:
        reader = wearable.connect(READER)
        reader.see_alarm(codes.HYPOXAEMIA, HIGH, 60)
        accept = wire.AlarmAccept(codes.HYPOXAEMIA, HIGH, "Dr. House")
        assert {reader.ask(accept).code for _ in range(5)} == {wire.RESULT_FORBIDDEN}
        reader.wait(lambda: wearable.state()["buzzer"]["duty_u16"], 5, "the sound")
        reader.see_alarm(codes.HOST_AWAY, HIGH, 60)  # it is in session, and yet nobody is there
        assert of_type(pull(reader)[0], record_layout.ACCEPTED) == []
        reader.close()
        nurse = wearable.connect(NURSE)
        answers = [nurse.ask(accept._replace(who="A. Nurse")) for _ in range(5)]
        assert {answer.code for answer in answers} == {wire.RESULT_DONE} and answers[1].detail
        taken = of_type(pull(nurse)[0], record_layout.ACCEPTED)
        assert [(one.key_id, one.who) for one in taken] == [(NURSE.key_id, "A. Nurse")]


def test_a_reader_s_flood_of_times_writes_nothing_and_keeps_no_mark_out(tmp_path: Path) -> None:
    build_image(tmp_path / "flash.img")
    with Wearable(tmp_path, speed=1) as wearable:
        reader = wearable.connect(READER)
        before, flash = reader.status().head_seq, wearable.state()["flash"]
        for n in range(200):
            utc_ms = UTC_MS + n * 7_919_000
            assert reader.ask(wire.Time(utc_ms, n % 2 * 0xFFFFFFFF), wire.TimeIs).utc_ms == utc_ms
        after = wearable.state()["flash"]
        assert reader.status().head_seq - before <= 2 and after["erases"] - flash["erases"] <= 2
        reader.close()
        custodian = wearable.connect(CUSTODIAN)
        custodian.ask(wire.Time(UTC_MS, 20), wire.TimeIs)
        marks = of_type(pull(custodian)[0], record_layout.TIME_MARK)
        assert [(mark.utc_ms, mark.key_id) for mark in marks] == [(UTC_MS, CUSTODIAN.key_id)]
