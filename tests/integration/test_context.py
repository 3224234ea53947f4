"""What a nurse types reaches the journal of the real firmware, and what cannot be read is refused by it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from crs_core import context
from crs_core.grade import rules
from crs_core.journal import record_layout
from crs_core.wire import message as wire

from host_agent.store.outgoing import outgoing
from tools.rig.bedside import Bedside
from tools.rig.host import of_type, pull
from tools.rig.laptop import Laptop
from tools.rig.stored import is_recheck_done
from tools.rig.waiting import until
from tools.rig.wearable import ready

SPEED = 30
PROOF = b"\x01\x02\x03\x04\x05\x06\x07\x08"
WORDS = {"CYTOWATCH_PASSPHRASE": "a long passphrase", "CYTOWATCH_NEW_PASSPHRASE": "a long passphrase"}


def typed(laptop: Laptop, *arguments: str, by: str = "clinician-1") -> str:
    """The output of a command that an account holder types; it must do."""
    return laptop.cytowatch(*arguments, **WORDS, CYTOWATCH_ACCOUNT=by).stdout


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    """An agent in session, a clinician's account, and a patient who was just bound."""
    with Bedside(tmp_path, speed=SPEED, binding_id=None) as bedside:
        typed(bedside.laptop, "account", "add", "clinician-1", "--role", "clinician")
        bedside.start_agent()
        bedside.start_patient()
        yield bedside.laptop


@pytest.mark.slow
def test_the_numbers_that_a_laptop_sets_are_kept_by_the_wearable_and_stand_in_texts(laptop: Laptop) -> None:
    typed(laptop, "phones", "--call-number", "+49 30 555 0100", "--emergency-number", "911")
    assert "care team +49 30 555 0100, emergency 911." in typed(laptop, "phones")
    until(
        lambda: "Care team +49 30 555 0100. Emergency 911." in typed(laptop, "status"), 30, "the numbers on screen"
    )  # fmt: skip
    refused = laptop.cytowatch("phones", "--call-number", "call me", check=False)
    assert refused.returncode == 2 and "--call-number" in refused.stderr
    assert "care team +49 30 555 0100" in typed(laptop, "phones")


@pytest.mark.slow
def test_an_entry_is_journaled_by_the_wearable_and_found_in_the_chain(laptop: Laptop) -> None:
    typed(laptop, "account", "add", "nurse-1", "--role", "nurse")
    typed(laptop, "context", "set", "systolic_mmhg=84", "oxygen=cpap", "--ago", "10m", by="nurse-1")
    (event,) = until(lambda: laptop.events(record_layout.CONTEXT), 30, "the record of the wearable")
    age_ms, proof, numbers = context.decode(event.payload)
    assert numbers == {context.BLOOD_PRESSURE: 1, context.OXYGEN: 7}
    assert 600_000 <= age_ms < 600_000 + 60_000 * SPEED
    assert [entry.proof for entry in laptop.read(outgoing) or []] == [proof]
    until(
        lambda: "in force on the wearable" in (shown := typed(laptop, "context", "show"))
        and "on this laptop only" not in shown,
        20, "the acknowledgement",
    )  # fmt: skip
    report = json.loads(typed(laptop, "audit", "verify", "--json"))
    assert (report["rows"], report["problems"]) == (4, [])


def test_the_wearable_takes_an_entry_in_parts_and_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    with ready(tmp_path, speed=SPEED) as wearable:
        host = wearable.connect()
        whole = context.encode(5000, PROOF, {key: low for key, (_, low, _) in context.KEYS.items()})
        assert host.ask(wire.Context(0, 2, whole[:40])).code == wire.RESULT_MORE_PARTS
        assert host.ask(wire.Context(1, 2, whole[40:])).code == wire.RESULT_DONE
        for broken in (b"", whole[:-1], whole + b"x", b"\x02" + whole[1:], whole[:14] + b"\x01\x63\x01\x00"):
            refused = host.ask(wire.Context(0, 1, broken))
            assert refused.code == wire.RESULT_BAD_VALUE and refused.detail.startswith("context: "), broken
        events, _ = pull(host)
        assert [entry.data for entry in of_type(events, record_layout.CONTEXT)] == [whole]


@pytest.mark.slow
def test_signed_rules_and_limits_decide_on_the_wearable_and_the_re_run_agrees(
    laptop: Laptop, tmp_path: Path
) -> None:
    file = tmp_path / "rules.json"
    typed(laptop, "rules", "export", str(file))
    document = json.loads(file.read_text())
    document["rules"]["hr_delay_ms"] |= {"value": 30_000, "reason": "this ward answers faster"}
    file.write_text(json.dumps(document))
    typed(laptop, "rules", "sign", str(file))
    typed(laptop, "sign", "limits", "hr_high_bpm=110", "--reason", "a low usual rate")
    made = rules.with_limits(rules.DEFAULT, {"hr_delay_ms": 30_000, "hr_high_bpm": 110})

    def by_them(kind: int) -> int:
        return sum(rules.rule_hash(made) in event.payload for event in laptop.events(kind))

    until(lambda: by_them(record_layout.SETTINGS) == 1, 30, "the signed numbers")
    # an entry makes the wearable journal a state under them, which the host steps again
    typed(laptop, "context", "set", "blood_pressure=hypotension")
    until(lambda: by_them(record_layout.GRADER_STATE) > 1, 30, "a state by them")
    until(lambda: laptop.read(is_recheck_done), 30, "every step run again")
    assert laptop.totals().disagreements == 0


@pytest.mark.slow
def test_after_a_cut_the_entry_counts_on_the_wearable_again(tmp_path: Path) -> None:
    """The wearable drops it at its start, and the agent brings it back with its true age, once."""
    with Bedside(tmp_path, speed=SPEED, binding_id=None) as bedside:
        laptop = bedside.laptop
        typed(laptop, "account", "add", "clinician-1", "--role", "clinician")
        bedside.start_agent()
        laptop.cytowatch("patient", "start", "--age-years", "54")
        until(laptop.caught_up, 20, "sync of the new journal")
        typed(laptop, "context", "set", "blood_pressure=hypotension", "--ago", "5m")
        in_force = lambda: "in force on the wearable" in typed(laptop, "context", "show")  # noqa: E731
        until(in_force, 30, "the entry in force")
        bedside.wearable.control("cut", off_ms=300)
        first, again = until(
            lambda: found if len(found := laptop.events(record_layout.CONTEXT)) > 1 else None,
            60,
            "the entry once more",
        )
        assert again.boot == first.boot + 1
        (age_ms, proof, numbers), (later_ms, *same) = (
            context.decode(first.payload),
            context.decode(again.payload),
        )
        assert same == [proof, numbers] and later_ms > age_ms >= 300_000
        until(in_force, 30, "the entry in force again")
        assert len(laptop.events(record_layout.CONTEXT)) == 2
