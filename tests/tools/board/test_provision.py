"""tools/board/provision on the virtual wearable: what it refuses, what it makes, what it never shows."""

import json
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from crs_core.keys import ROLE_CUSTODIAN, ROLE_READER
from crs_core.wire import rights
from crs_device.settings.key_file import KeyFile

from host_agent.keys.enrolment import open_sealed
from tools.board.provision import ProvisionError, provision
from tools.rig.bedside import Bedside
from tools.rig.image import CUSTODIAN, DEVICE_ID, READER, read_image

pytestmark = pytest.mark.wearable

SITE_AND_NUMBERS = {"site": "axilla", "patient_call_number": "+49 30 1234", "emergency_number": "112"}


@pytest.fixture
def blank(tmp_path: Path) -> Iterator[Bedside]:
    with Bedside(tmp_path, settings=None, keys=(), journal=False, speed=1) as bedside:
        yield bedside


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[Bedside]:
    """Provisioned with a custodian and a reader."""
    with Bedside(tmp_path, speed=1) as bedside:
        yield bedside


def keys_on(bedside: Bedside, folder: Path) -> KeyFile:
    """The key file of the image, read by the firmware's own code."""
    filesystem = read_image(bedside.image)
    folder.mkdir(exist_ok=True)
    for slot in ("keys.0", "keys.1"):
        if slot in filesystem.listdir("/"):
            with filesystem.open(f"/{slot}", "rb") as file:
                (folder / slot).write_bytes(file.read())
    store = KeyFile(str(folder / "keys"))
    store.load()
    return store


def run_tool(bedside: Bedside, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, as a person types it."""
    return subprocess.run(
        [sys.executable, "-m", "tools.board.provision", bedside.port, *arguments],
        capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_the_first_run_makes_identity_key_settings_and_journal_and_shows_no_key(
    blank: Bedside, tmp_path: Path
) -> None:
    out = tmp_path / "wearable.enrol"
    seen: set[str] = set()
    done = threading.Event()
    watcher = threading.Thread(target=watch_arguments, args=(seen, done))
    watcher.start()
    try:
        tool = run_tool(
            blank, "--site", "axilla", "--call-number", "+49 30 1234", "--emergency-number", "112", "--out", str(out)
        )  # fmt: skip
    finally:
        done.set()
        watcher.join()
    assert tool.returncode == 0, tool.stderr
    (code,) = re.findall(r"one-time code: +(\S+)", tool.stdout)
    enrolment = open_sealed(out.read_bytes(), code)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    store = keys_on(blank, tmp_path / "found")
    assert (enrolment.role, enrolment.site, enrolment.device_id) == ("custodian", "axilla", store.device_id)
    secret = enrolment.key
    assert [(key.key_id, key.role, key.key) for key in store.keys] == [
        (enrolment.key_id, ROLE_CUSTODIAN, secret)
    ]
    spelled = [secret.hex(), repr(secret)[2:-1], secret.hex(" ")]
    for text in (tool.stdout, tool.stderr, out.read_text(), *seen):
        assert not any(each in text for each in spelled), "a key is in plain sight"
    assert any("mpremote" in each for each in seen), "the watch saw the tool's own processes"
    assert "journal" in tool.stdout
    assert not re.search(r"journal \(none\)", tool.stdout)


def watch_arguments(seen: set[str], done: threading.Event) -> None:
    """Collect every command line on this computer, as `ps` shows them to every user."""
    while not done.wait(0.01):
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.add(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
            except OSError:
                continue


def test_what_is_missing_or_wrong_is_named_and_changes_nothing(blank: Bedside, tmp_path: Path) -> None:
    out = tmp_path / "wearable.enrol"
    for changes, named in (
        ({}, "site.*"),
        ({"site": "axilla", "emergency_number": "112"}, "patient_call_number"),
        ({"patient_call_number": "+49 30 1234", "emergency_number": "112"}, "site"),
        ({**SITE_AND_NUMBERS, "patient_call_number": "1"}, "patient_call_number"),
        ({**SITE_AND_NUMBERS, "site": "elbow"}, "site"),
        ({**SITE_AND_NUMBERS, "reading_interval_s": "0"}, "reading_interval_s"),
        ({**SITE_AND_NUMBERS, "reading_interval": "10"}, "reading_interval"),
    ):
        with pytest.raises(ProvisionError, match=named):
            provision(blank.port, changes, out=out, restart=False)
    with pytest.raises(ProvisionError, match="--out"):
        provision(blank.port, SITE_AND_NUMBERS, restart=False)
    with pytest.raises(ProvisionError, match="no keys yet"):
        provision(blank.port, SITE_AND_NUMBERS, out=out, add_reader="ward", restart=False)
    assert not out.exists()
    there = read_image(blank.image).listdir("/")
    assert not [name for name in there if name.startswith(("keys", "settings", "journal"))]


def test_an_enrolment_file_is_never_overwritten(ready: Bedside, tmp_path: Path) -> None:
    out = tmp_path / "wearable.enrol"
    out.write_text("another wearable's")
    with pytest.raises(ProvisionError, match="exists already"):
        provision(ready.port, {}, out=out, add_reader="study", restart=False)
    assert out.read_text() == "another wearable's"
    nowhere = tmp_path / "no folder" / "wearable.enrol"
    with pytest.raises(ProvisionError, match="cannot be written.*Nothing was changed"):
        provision(ready.port, {}, out=nowhere, add_reader="study", restart=False)
    assert len(keys_on(ready, tmp_path / "found").keys) == 2, "and no key was made"


def test_a_board_that_refuses_the_key_leaves_no_enrolment_file(ready: Bedside, tmp_path: Path) -> None:
    out = tmp_path / "wearable.enrol"
    ready.wearable.control("fault", what="flash", writes=-1)
    with pytest.raises(ProvisionError, match="EIO|refused|5"):
        provision(ready.port, {}, out=out, add_reader="study", restart=False)
    assert not out.exists()


def test_later_runs_change_settings_and_keys_and_keep_the_identity(ready: Bedside, tmp_path: Path) -> None:
    changed = provision(ready.port, {"site": "oral"}, restart=False)
    assert (changed.device_id, changed.settings["site"]) == (DEVICE_ID.hex(), "oral")
    assert changed.key_id is None and not changed.code

    added = provision(ready.port, {}, out=tmp_path / "study.enrol", add_reader="study", restart=False)
    study = open_sealed((tmp_path / "study.enrol").read_bytes(), added.code)
    assert (study.role, study.name, study.site, study.device_id) == ("reader", "study", "oral", DEVICE_ID)

    revoked = provision(ready.port, {}, revoke=READER.key_id, restart=False)
    assert [slot["name"] for slot in revoked.keys] == ["bedside", "study"]
    with pytest.raises(ProvisionError, match="No key 22222222"):
        provision(ready.port, {}, revoke=READER.key_id, restart=False)
    with pytest.raises(ProvisionError, match="--replace-custodian"):
        provision(ready.port, {}, revoke=CUSTODIAN.key_id, restart=False)

    replaced = provision(ready.port, {}, out=tmp_path / "new.enrol", replace_custodian="night", restart=False)
    store = keys_on(ready, tmp_path / "found")
    assert store.device_id == DEVICE_ID
    assert {(key.name, key.role) for key in store.keys} == {("study", ROLE_READER), ("night", ROLE_CUSTODIAN)}
    assert CUSTODIAN.key not in [key.key for key in store.keys]
    assert json.dumps(replaced.keys).count("custodian") == 1


def test_a_key_with_rights_is_made_stored_and_sealed_and_the_custodian_stays_alone(
    ready: Bedside, tmp_path: Path
) -> None:
    out = tmp_path / "ward.enrol"
    made = provision(ready.port, {}, out=out, add_reader="ward 2", rights="accept,time", restart=False)
    sealed = open_sealed(out.read_bytes(), made.code)
    assert sealed.role == "read+time+accept" and made.keys[-1]["role"] == "read+time+accept"
    held = keys_on(ready, tmp_path / "found").keys
    assert rights.of_role(held[-1].role) == rights.READ + rights.TIME + rights.ACCEPT
    for wrong, name in (("nurse", "x"), ("read,", "x"), ("custodian", "x"), ("read,accept", "")):
        with pytest.raises(ProvisionError, match="--rights.*--add-host"):
            provision(ready.port, {}, out=out, add_reader=name, rights=wrong, restart=False)
    laptop = ready.add_laptop("ward", key=None)
    laptop.cytowatch("enrol", str(out), "--code", made.code)
    assert "as read+time+accept" in laptop.cytowatch("doctor", check=False).stdout


def test_a_board_without_application_is_refused_with_advice(tmp_path: Path) -> None:
    with (
        Bedside(tmp_path, image=False, speed=1) as bedside,
        pytest.raises(ProvisionError, match="tools.board.flash first"),
    ):
        provision(bedside.port, SITE_AND_NUMBERS, out=tmp_path / "wearable.enrol", restart=False)
