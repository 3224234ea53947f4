"""What an earlier version left on a laptop and a wearable is read today (vectors/made_before, all simulated)."""

import gzip
import json
import shutil

import pytest

from host_agent.cli.main import main
from tools.data.journal_dump.__main__ import main as journal_dump
from tools.rig.micropython import ROOT

BEFORE = ROOT / "tests/vectors/made_before"
DEVICE = "1419e0347395cd99"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A laptop's folder as that version left it."""
    for name, folder in ((f"{DEVICE}.key", "keys"), ("clinician-1.json", "accounts")):
        (tmp_path / folder).mkdir(mode=0o700)
        shutil.copy(BEFORE / name, tmp_path / folder / name)
        (tmp_path / folder / name).chmod(0o600)
    (tmp_path / "cytowatch.db").write_bytes(gzip.decompress((BEFORE / "store.backup.gz").read_bytes()))
    for name in ("config.toml", "secret"):
        shutil.copy(BEFORE / name, tmp_path / name)
    monkeypatch.setenv("CYTOWATCH_HOME", str(tmp_path))
    return tmp_path


def said(capsys, *arguments: str) -> str:
    """What the command printed; it must have ended with exit 0."""
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    assert end.value.code in (0, None), capsys.readouterr()
    return capsys.readouterr().out


def test_its_store_is_whole(home, capsys):
    assert "2 journals, 49 blocks, 98 readings, 40 events, 0 gaps: 0 problems." in said(capsys, "verify")


def test_its_signatures_hold(home, capsys):
    text = said(capsys, "audit", "verify")
    assert "4 entries. Head: 9b9904e9bafdb10deacd19b5ab13a954e46bace44d54e40c141092dd99003608" in text


def test_its_wearable_and_patient_are_shown(home, capsys):
    (device,) = json.loads(said(capsys, "status", "--json"))["devices"]
    assert (device["device_id"], device["role"], device["patient"]["id"]) == (DEVICE, "custodian", "P-5F8532")
    assert (device["grade"]["lower"], device["grade"]["upper"]) == (0, 4)


def test_its_history_is_told(home, capsys):
    text = said(capsys, "history")
    assert ": oxygen low: 88 %. Look at the patient now. Care team 000 000. Emergency 000.\n" in text
    assert "  ALARM " in text and ": fever: " in text


def test_its_configuration_counts(home, capsys):
    (webhook,) = json.loads(said(capsys, "config").split("\n", 1)[1])["webhook"]
    assert (webhook["name"], webhook["url"], webhook["accept_simulated"]) == (
        "demo",
        "http://127.0.0.1:8080/events",
        True,
    )


def test_its_enrolment_file_opens(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CYTOWATCH_HOME", str(tmp_path))
    code = (BEFORE / "enrolment_code").read_text().strip()
    assert DEVICE in said(capsys, "enrol", str(BEFORE / "wearable.enrol"), "--code", code)
    kept = json.loads((tmp_path / "keys" / f"{DEVICE}.key").read_text())
    assert kept == {**json.loads((BEFORE / f"{DEVICE}.key").read_text()), "site": "axilla"}


def test_its_journal_is_read_from_the_flash_image(tmp_path, capsys):
    image = tmp_path / "flash.img"
    image.write_bytes(gzip.decompress((BEFORE / "flash.img.gz").read_bytes()))
    journal_dump([str(image)])
    assert "131 records in 44 blocks, head 131, 0 gaps, 0 faults" in capsys.readouterr().out
