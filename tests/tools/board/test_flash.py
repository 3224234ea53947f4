"""`tools.board.flash` on the virtual wearable: fresh, again, changed, cut, damaged, unhealthy."""

import io
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from crs_core.wire import message as wire

from tools.board.build_firmware import bundle, compile_application, source_tree
from tools.board.flash import flash
from tools.board.port import PortError
from tools.rig.bedside import Bedside
from tools.rig.host import Host
from tools.rig.image import CUSTODIAN, build_image, compiled, read_image
from tools.rig.waiting import until

pytestmark = pytest.mark.wearable

QUIET = io.StringIO()  # takes the progress lines


def monitors(bedside: Bedside, timeout_s: float = 12) -> str:
    """Open a session and wait for a LIVE value; return the application version of the last BOOT record."""
    host = Host(bedside.wearable.port, CUSTODIAN)
    try:
        host.open(timeout_s)
        host.take(wire.Live, timeout_s)
        return str(host.status().boot)
    finally:
        host.close()


def on_image(image: Path, name: str) -> bytes:
    filesystem = read_image(image)  # must outlive the file
    with filesystem.open(name, "rb") as file:
        return bytes(file.read())


def active_slot(image: Path) -> str:
    return on_image(image, "/slot").decode()


def test_a_blank_board_gets_all_then_what_changed_then_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "firmware"
    shutil.copytree(source_tree(), tree)
    monkeypatch.setenv("CW_BOARD_FIRMWARE", str(tree))
    with Bedside(tmp_path, image=False, speed=1) as bedside:
        fresh = flash(bedside.port, restart=False, say=QUIET)
        assert (fresh.board, fresh.slot, fresh.unchanged) == ("virtual", "a", 0)
        assert fresh.sent > 50
        module = tree / "crs_device/measuring/vitals.py"
        module.write_text(module.read_text() + "\nADDED = 1\n")
        changed = flash(bedside.port, restart=False, say=QUIET)
        assert (changed.slot, changed.sent, changed.unchanged) == ("b", 1, fresh.sent - 1)
        assert changed.bytes_sent < 8000
        assert changed.version != fresh.version
        again = flash(bedside.port, restart=False, say=QUIET)
        assert (again.slot, again.sent, again.unchanged) == ("a", 0, fresh.sent)
        assert again.version == changed.version
        print(
            f"fresh {fresh.seconds} s, {fresh.bytes_sent} B; one changed {changed.seconds} s; {again.seconds} s"
        )
        assert active_slot(bedside.image) == "a"
        assert on_image(bedside.image, "/a.app") == bundle(compile_application("virtual")), "byte by byte"


def test_a_power_cut_while_flashing_leaves_the_old_version_running(tmp_path: Path) -> None:
    """`--cut N --once`: the board loses power at its Nth flash operation and is gone."""
    cut_at = int(os.environ.get("CW_SEED", random.SystemRandom().randrange(5, 150)))
    print(f"CW_SEED={cut_at}")
    image = build_image(tmp_path / "flash.img", extra={"/marker": b"old"})
    before = on_image(image, "/a.app")
    with Bedside(tmp_path, "--cut", str(cut_at), "--torn", "50", "--once", image=False, speed=1) as bedside:
        run = subprocess.Popen(
            [sys.executable, "-m", "tools.board.flash", bedside.port],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )  # fmt: skip
        try:
            bedside.wearable.wait(30)
            time.sleep(0.2)
            if run.poll() is None:
                run.kill()
        finally:
            run.communicate(timeout=20)
    assert active_slot(image) == "a"
    assert on_image(image, "/a.app") == before
    with Bedside(tmp_path, image=False, speed=1) as bedside:
        monitors(bedside)


def damaged(slot_file: bytes) -> bytes:
    """One flipped bit in the middle of the contents. LittleFS keeps no checksum of contents."""
    middle = len(slot_file) * 2 // 3
    return slot_file[:middle] + bytes([slot_file[middle] ^ 0x10]) + slot_file[middle + 1 :]


def beeps(bedside: Bedside) -> list[int]:
    """Frequencies that the buzzer sounded, in order."""
    log = bedside.wearable.control("outputs")["log"]
    return [entry["value"] for entry in log if entry["what"] == "buzzer" and entry["value"]]


@pytest.mark.parametrize("good", ["b", ""])
def test_one_flipped_bit_in_a_slot_starts_the_other_one_or_says_loudly_that_there_is_none(
    tmp_path: Path, good: str
) -> None:
    extra = {"/a.app": damaged(bundle(compiled()))}
    image = build_image(tmp_path / "flash.img", slots="a" + good, extra=extra)
    with Bedside(tmp_path, image=False, speed=20) as bedside:
        if good:
            monitors(bedside)
            assert active_slot(image) == "b", "the next flash must not overwrite what runs"
            assert flash(bedside.port, say=QUIET).slot == "a"
            monitors(bedside)
            return
        until(lambda: bedside.wearable.state()["led"] == [1, 0, 1], 10, "the light of not monitoring")
        until(lambda: beeps(bedside)[4:], 10, "the HIGH pattern")
        assert flash(bedside.port, say=QUIET).slot == "b", "it can still be flashed"
        monitors(bedside)


@pytest.mark.parametrize("is_provisioned", [True, False])
def test_an_only_slot_that_never_starts_sounds_between_tries(tmp_path: Path, is_provisioned: bool) -> None:
    built = {} if is_provisioned else {"settings": None, "keys": (), "journal": False}
    with Bedside(tmp_path, speed=20, without=("crs_device/tasks.mpy",), **built) as bedside:
        until(lambda: bedside.wearable.state()["resets"]["machine"] >= 3, 30, "three tries")
        if is_provisioned:
            until(lambda: beeps(bedside)[4:], 25, "the HIGH pattern")
        else:
            assert not beeps(bedside), "nobody wears it"


def test_a_board_that_does_not_answer_is_named_with_advice(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="no answer|mpremote"):
        flash(str(tmp_path / "no port"), say=QUIET)
