"""Several hosts and one wearable: enrolment from another home, a reader that frees nothing, a host that is revoked."""

import json
import re
from pathlib import Path

import pytest

from host_agent.store.contents import contents
from tools.board.provision import provision
from tools.rig.bedside import Bedside
from tools.rig.image import READER
from tools.rig.journal_check import acked_seq
from tools.rig.laptop import Laptop
from tools.rig.stored import journal_ids
from tools.rig.waiting import until

SPEED = 60
NUMBERS = {"site": "axilla", "patient_call_number": "+49 30 1234", "emergency_number": "112"}


def blocks_of(laptop: Laptop) -> dict[int, bytes]:
    """The stored blocks of the one journal."""
    (journal_id,) = laptop.read(journal_ids) or []
    return laptop.read(lambda tx: contents(tx, journal_id)).blocks  # type: ignore[union-attr]


@pytest.mark.real_time
def test_provisioned_in_one_home_enrolled_and_synced_from_another(tmp_path: Path) -> None:
    with Bedside(tmp_path, speed=SPEED, settings=None, keys=(), journal=False, binding_id=None) as bedside:
        receipt = provision(bedside.port, NUMBERS, out=tmp_path / "wearable.enrol")
        laptop = bedside.add_laptop("another home", key=None)
        wrong = "AAAA-BBBB-CCCC" if receipt.code != "AAAA-BBBB-CCCC" else "AAAA-BBBB-CCCD"
        refused = laptop.cytowatch("enrol", str(tmp_path / "wearable.enrol"), "--code", wrong, check=False)
        assert refused.returncode != 0 and "the code is wrong" in refused.stderr
        assert not list((laptop.home / "keys").glob("*.key"))
        laptop.cytowatch("enrol", str(tmp_path / "wearable.enrol"), "--code", receipt.code)
        bedside.start_agent(laptop)
        until(laptop.readings, 15, "readings")
        (device,) = laptop.ask("status")["devices"]
        assert device["device_id"] == receipt.device_id and device["site"] == "axilla"


def test_a_reader_reads_everything_and_frees_no_flash(tmp_path: Path) -> None:
    with Bedside(tmp_path, speed=SPEED, binding_id=None) as bedside:
        reader = bedside.add_laptop("ward", READER)
        reader.start(bedside.port, SPEED)
        until(lambda: reader.caught_up() and reader.readings() > 12, 20, "the reader's sync")
        assert reader.stop() == 0
        read = reader.cursor()
        assert acked_seq(bedside.image) == 0, "a reader's acknowledgement frees nothing"
        refused = reader_is_refused_a_binding(bedside, reader)
        assert "custodian" in refused.lower()
        bedside.laptop.start(bedside.port, SPEED)
        until(
            lambda: bedside.laptop.caught_up() and bedside.laptop.cursor() >= read, 20, "the custodian's sync"
        )
        until(lambda: acked_seq(bedside.image) >= read, 15, "the custodian's acknowledgement on flash")
        mine, theirs = (
            {first: raw for first, raw in blocks_of(laptop).items() if first <= read}
            for laptop in (reader, bedside.laptop)
        )
        assert mine == theirs, "both hosts hold the same bytes"


def reader_is_refused_a_binding(bedside: Bedside, reader: Laptop) -> str:
    """What a reader hears when it wants to bind a patient."""
    bedside.start_agent(reader)
    done = reader.cytowatch("patient", "start", "--age-years", "54", check=False)
    assert done.returncode != 0
    reader.stop()
    return done.stderr


def test_a_revoked_host_is_refused_and_every_place_says_so(tmp_path: Path) -> None:
    with Bedside(tmp_path, speed=SPEED) as bedside:
        reader, custodian = bedside.add_laptop("ward", READER), bedside.laptop
        bedside.start_agent(reader)
        reader.stop()
        bedside.start_agent(custodian)
        hosts = custodian.ask("hosts", "list")["hosts"]
        assert {(host["name"], host["role"], host["this_host"]) for host in hosts} == {
            ("bedside", "custodian", True), ("ward", "reader", False),
        }  # fmt: skip
        custodian.cytowatch("hosts", "revoke", f"{READER.key_id:08x}")
        assert [host["name"] for host in custodian.ask("hosts", "list")["hosts"]] == ["bedside"]
        custodian.stop()
        stored = reader.readings()
        reader.start(bedside.port, SPEED)
        until(lambda: reader.link().get("state") == "refused", 20, "the refusal")
        status = reader.cytowatch("status").stdout
        doctor = reader.cytowatch("doctor", check=False)
        assert doctor.returncode == 1
        log = reader.log.read_text()
        for place, text in (("status", status), ("doctor", doctor.stdout), ("log", log)):
            assert re.search(r"refused.*key|key.*refused|no longer|revoked", text, re.IGNORECASE), (
                f"{place}: {text}"
            )
            assert re.search(r"enrol", text, re.IGNORECASE), f"{place} gives no advice: {text}"
        assert reader.readings() == stored
        reader.stop()
        bedside.start_agent(custodian)


def test_another_wearables_key_opens_nothing(tmp_path: Path) -> None:
    stranger = READER._replace(key=bytes(reversed(READER.key)))
    with Bedside(tmp_path, speed=SPEED) as bedside:
        laptop = bedside.add_laptop("stranger", stranger)
        laptop.start(bedside.port, SPEED)
        until(lambda: laptop.link().get("state") == "refused", 20, "the refusal")
        assert laptop.readings() == 0 and json.dumps(laptop.link()).count(READER.key.hex()) == 0


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_enrolment_file_is_refused(tmp_path: Path, damage: str) -> None:
    from host_agent.keys.enrolment import Enrolment, seal

    code = "K7QD-M2XF-9TRB"
    data = seal(Enrolment(b"wearable", 7, bytes(32), "custodian", "bedside", "axilla"), code)
    file = tmp_path / "file.enrol"
    at = data.index(b'"sealed": "') + 15
    file.write_bytes(data[:-40] if damage == "cut" else data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    laptop = Laptop(tmp_path / "home", key=None)
    refused = laptop.cytowatch("enrol", str(file), "--code", code, check=False)
    assert refused.returncode != 0 and "Traceback" not in refused.stderr
    assert not list((laptop.home / "keys").glob("*.key"))
