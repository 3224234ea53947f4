"""Signed numbers on the real firmware: used at once, named in decisions, kept through a cut, wiped with a patient."""

import time
from pathlib import Path
from typing import Any

from crs_core import codes, records
from crs_core.grade import rules
from crs_core.grade.rules import DEFAULT
from crs_core.wire import message as wire

from tests.fakes.records_of import of_type, pull
from tools.rig.image import PATIENT, build_image
from tools.rig.serial_host import Host, Wearable

HIGH = codes.PRIORITY_HIGH
FAST = 'title = "test"\n[[keyframe]]\nt_s = 0\ntemp_c = 36.8\nspo2_pct = 91.0\nhr_bpm = 80\npi_pct = 1.5\n'


def change(host: Host, text: str) -> Any:
    return host.ask(wire.Settings(wire.SETTINGS_SET, 0, 1, text.encode()))


def test_signed_numbers_decide_are_named_and_survive_a_cut(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(FAST)
    with Wearable(tmp_path, build_image(tmp_path / "f.img"), scenario=path, speed=10) as wearable:
        host = wearable.connect()
        answer = change(host, "rules=fever_cc:3799\n")
        assert (answer.code, "fever_cc" in answer.detail) == (wire.RESULT_BAD_VALUE, True)
        assert change(host, "limits=hr_high_bpm\n").code == wire.RESULT_BAD_VALUE
        assert (
            change(host, "rules=spo2_medium_tenths:930\nlimits=spo2_slow_tenths:920\n").code
            == wire.RESULT_DONE
        )
        made = rules.in_use("spo2_medium_tenths:930", "spo2_slow_tenths:920")
        host.wait(
            lambda: any(
                isinstance(m, wire.Alarm) and (codes.HYPOXAEMIA, HIGH) in m.alarms for m in host.messages
            ),
            30,
            "91 % below the patient's own limit",
        )
        events, _ = pull(host)
        hashes = [settings.rule_hash for settings in of_type(events, records.SETTINGS)]
        assert hashes == [rules.rule_hash(DEFAULT), rules.rule_hash(made)]
        last = [
            record for kind in (records.ALARM, records.GRADER_STATE) for record in of_type(events, kind)[-1:]
        ]
        assert {record.rule_hash for record in last} == {rules.rule_hash(made)}
        wearable.control("cut", off_ms=300)
        time.sleep(0.4)
        host.open()
        events, _ = pull(host)
        assert of_type(events, records.BOOT)[-1].rule_hash == rules.rule_hash(made)
        host.send(wire.Bind(wire.BIND_END_OVERRIDE, PATIENT, 0, 1, b"x"))
        host.wait(lambda: host.closed, 10, "BYE")
        host.closed.clear()
        host.open()
        text = host.ask(wire.Settings(wire.SETTINGS_GET, 0, 1, b""), wire.SettingsIs).data.decode()
        assert "limits=\n" in text, "the patient's own numbers went with the binding"
        assert "rules=spo2_medium_tenths:930\n" in text, "the site's stay"
        events, _ = pull(host)
        site = rules.rule_hash(rules.in_use("spo2_medium_tenths:930", ""))
        assert of_type(events, records.SETTINGS)[-1].rule_hash == site
