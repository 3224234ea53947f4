"""Signed numbers on the real firmware: used at once, named in decisions, kept through a cut, wiped with a patient."""

from pathlib import Path

from crs_core import codes
from crs_core.grade import rules
from crs_core.grade.rules import DEFAULT
from crs_core.journal import record_layout
from crs_core.wire import message as wire

from tools.rig.host import of_type, pull
from tools.rig.image import PATIENT
from tools.rig.scenarios import worn
from tools.rig.waiting import pass_s
from tools.rig.wearable import ready

HIGH = codes.PRIORITY_HIGH
FAST = worn(spo2_pct=91.0, hr_bpm=80)


def test_signed_numbers_decide_are_named_and_survive_a_cut(tmp_path: Path) -> None:
    with ready(tmp_path, scenario=FAST, speed=10) as wearable:
        host = wearable.connect()
        answer = host.change_settings("rules=fever_cc:3799\n")
        assert (answer.code, "fever_cc" in answer.detail) == (wire.RESULT_BAD_VALUE, True)
        assert host.change_settings("limits=hr_high_bpm\n").code == wire.RESULT_BAD_VALUE
        assert (
            host.change_settings("rules=spo2_medium_tenths:930\nlimits=spo2_slow_tenths:920\n").code
            == wire.RESULT_DONE
        )
        made = rules.in_use("spo2_medium_tenths:930", "spo2_slow_tenths:920")
        host.see_alarm(codes.HYPOXAEMIA, HIGH, 30)
        events, _ = pull(host)
        hashes = [settings.rule_hash for settings in of_type(events, record_layout.SETTINGS)]
        assert hashes == [rules.rule_hash(DEFAULT), rules.rule_hash(made)]
        last = [
            record
            for kind in (record_layout.ALARM, record_layout.GRADER_STATE)
            for record in of_type(events, kind)[-1:]
        ]
        assert {record.rule_hash for record in last} == {rules.rule_hash(made)}
        wearable.control("cut", off_ms=300)
        pass_s(0.4)
        host.open()
        events, _ = pull(host)
        assert of_type(events, record_layout.BOOT)[-1].rule_hash == rules.rule_hash(made)
        host.send(wire.Bind(wire.BIND_END_OVERRIDE, PATIENT, 0, 1, b"x"))
        host.wait(lambda: host.closed, 10, "BYE")
        host.closed.clear()
        host.open()
        text = host.settings().data.decode()
        assert "limits=\n" in text, "the patient's own numbers went with the binding"
        assert "rules=spo2_medium_tenths:930\n" in text, "the site's stay"
        events, _ = pull(host)
        site = rules.rule_hash(rules.in_use("spo2_medium_tenths:930", ""))
        assert of_type(events, record_layout.SETTINGS)[-1].rule_hash == site
