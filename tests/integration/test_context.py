"""What a nurse types reaches the journal of the real firmware, and what cannot be read is refused by it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from crs_core import context, records
from crs_core.grade import rules
from crs_core.wire import message as wire

from tests.fakes.records_of import of_type, pull
from tools.rig.image import build_image
from tools.rig.serial_host import Wearable
from tools.rig.ward import Ward

SPEED = 30
PROOF = b"\x01\x02\x03\x04\x05\x06\x07\x08"
WORDS = {"CYTOWATCH_PASSPHRASE": "a long passphrase", "CYTOWATCH_NEW_PASSPHRASE": "a long passphrase"}


def typed(home: Path, *arguments: str, by: str = "clinician-1") -> str:
    """The output of a command that must do."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "cytowatch"), *arguments],
        env={**os.environ, **WORDS, "CYTOWATCH_HOME": str(home), "CYTOWATCH_ACCOUNT": by},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_an_entry_is_journaled_by_the_wearable_and_found_in_the_chain(tmp_path: Path) -> None:
    with Ward(tmp_path, speed=SPEED, binding_id=None) as ward:
        laptop = ward.laptop
        typed(laptop.home, "account", "add", "clinician-1", "--role", "clinician")
        typed(laptop.home, "account", "add", "nurse-1", "--role", "nurse")
        laptop.start(ward.port, SPEED)
        ward.until(laptop.caught_up, 20, "sync")
        laptop.cytowatch("patient", "start", "--age-years", "54")
        ward.until(laptop.caught_up, 20, "sync of the new journal")
        typed(laptop.home, "context", "set", "systolic_mmhg=84", "oxygen=cpap", "--ago", "10m", by="nurse-1")
        query = ("SELECT payload FROM events WHERE type = ?", records.CONTEXT)
        ward.until(lambda: laptop.query(*query), 30, "the record of the wearable")
        (payload,) = laptop.query(*query)[0]
        age_ms, proof, numbers = context.decode(payload)
        assert numbers == {context.BLOOD_PRESSURE: 1, context.OXYGEN: 7}
        assert 600_000 <= age_ms < 600_000 + 60_000 * SPEED
        assert laptop.query("SELECT proof FROM context_outgoing") == [(proof,)]
        ward.until(
            lambda: "on the wearable" in typed(laptop.home, "context", "show")
            and "not yet" not in typed(laptop.home, "context", "show"),
            20, "the acknowledgement",
        )  # fmt: skip
        report = json.loads(typed(laptop.home, "audit", "verify", "--json"))
        assert (report["rows"], report["problems"]) == (3, [])


def test_the_wearable_takes_an_entry_in_parts_and_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    with Wearable(tmp_path, build_image(tmp_path / "f.img"), speed=SPEED) as wearable:
        host = wearable.connect()
        whole = context.encode(5000, PROOF, {key: low for key, (_, low, _) in context.KEYS.items()})
        assert host.ask(wire.Context(0, 2, whole[:40])).code == wire.RESULT_MORE_PARTS
        assert host.ask(wire.Context(1, 2, whole[40:])).code == wire.RESULT_DONE
        for broken in (b"", whole[:-1], whole + b"x", b"\x02" + whole[1:], whole[:14] + b"\x01\x63\x01\x00"):
            refused = host.ask(wire.Context(0, 1, broken))
            assert refused.code == wire.RESULT_BAD_VALUE and refused.detail.startswith("context: "), broken
        events, _ = pull(host)
        assert [entry.data for entry in of_type(events, records.CONTEXT)] == [whole]


@pytest.mark.slow
def test_signed_rules_and_limits_decide_on_the_wearable_and_the_re_run_agrees(tmp_path: Path) -> None:
    with Ward(tmp_path, speed=SPEED, binding_id=None) as ward:
        laptop = ward.laptop
        typed(laptop.home, "account", "add", "clinician-1", "--role", "clinician")
        laptop.start(ward.port, SPEED)
        ward.until(laptop.caught_up, 20, "sync")
        laptop.cytowatch("patient", "start", "--age-years", "54")
        ward.until(laptop.caught_up, 20, "sync of the new journal")
        file = tmp_path / "rules.json"
        typed(laptop.home, "rules", "export", str(file))
        document = json.loads(file.read_text())
        document["rules"]["hr_delay_ms"] |= {"value": 30_000, "reason": "this ward answers faster"}
        file.write_text(json.dumps(document))
        typed(laptop.home, "rules", "sign", str(file))
        typed(laptop.home, "sign", "limits", "hr_high_bpm=110", "--reason", "a low usual rate")
        made = rules.with_limits(rules.DEFAULT, {"hr_delay_ms": 30_000, "hr_high_bpm": 110})
        query = "SELECT count(*) FROM events WHERE type = ? AND instr(payload, ?) > 0"
        ward.until(
            lambda: laptop.query(query, records.SETTINGS, rules.rule_hash(made)) == [(1,)],
            30,
            "the signed numbers",
        )
        # an entry makes the wearable journal a state under them, which the host steps again
        typed(laptop.home, "context", "set", "blood_pressure=hypotension")
        ward.until(
            lambda: laptop.query(query, records.GRADER_STATE, rules.rule_hash(made))[0][0] > 1,
            30,
            "a state by them",
        )
        ward.until(
            lambda: laptop.query("SELECT verified_seq = cursor FROM journals WHERE is_current") == [(1,)], 30
        )
        assert laptop.query("SELECT kind, device_says, host_says FROM disagreements") == []
