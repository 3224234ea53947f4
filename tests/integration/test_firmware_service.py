"""Starts and services of the real firmware: slots, safe mode, Ctrl-C, the watchdog, the REPL that stays usable."""

from pathlib import Path
from typing import Any

import pytest
from crs_core.journal import record_layout
from crs_core.wire import message as wire

from tools.board.build_firmware import bundle, root_files
from tools.rig.host import Host, of_type, pull
from tools.rig.image import compiled, read_file
from tools.rig.scenarios import worn
from tools.rig.waiting import now_s, pass_s, until
from tools.rig.wearable import Wearable, ready

MAGENTA = [1, 0, 1]


def repl(host: Host, code: str, timeout_s: float = 5) -> bytes:
    """Type one line at the prompt and return what came back."""
    host.text = b""
    host.write(code.encode() + b"\r")
    host.wait(lambda: host.text.endswith(b">>> "), timeout_s, f"an answer to {code}")
    return host.text


def colours_within(wearable: Wearable, seconds: float) -> set[tuple[int, ...]]:
    seen = set()
    deadline = now_s() + seconds
    while now_s() < deadline:
        seen.add(tuple(wearable.state()["led"]))
        pass_s(0.05)
    return seen


def interrupt(host: Host) -> None:
    host.heartbeat_s = 0
    host.write(b"\x03")
    host.wait(lambda: b">>> " in host.text, 5, "a prompt")


@pytest.mark.real_time
def test_ctrl_c_leaves_a_usable_repl_silence_and_a_light_that_says_not_monitoring(tmp_path: Path) -> None:
    with ready(tmp_path, scenario=worn(spo2_pct=85.0, hr_bpm=90), speed=30) as wearable:
        host = wearable.connect()
        host.wait(lambda: any(isinstance(m, wire.Alarm) for m in host.messages), 10)
        interrupt(host)
        assert b"NOT MONITORING" in host.text and b"6 * 7\r\n42\r\n" in repl(host, "6 * 7")
        assert colours_within(wearable, 2.5) == {(1, 0, 1), (0, 0, 0)}
        assert wearable.state()["buzzer"]["duty_u16"] == 0
        resets = wearable.state()["resets"]
        assert resets["watchdog"] == 0
        host.write(b"import machine; machine.reset()\r")
        host.heartbeat_s = 0.5
        host.open(15)
        events, _ = pull(host, 8)
        (entered,) = of_type(events, record_layout.MAINTENANCE)
        assert (entered.op, entered.reason) == (1, 1) and len(of_type(events, record_layout.BOOT)) == 2


@pytest.mark.real_time
@pytest.mark.slow
def test_the_watchdog_is_fed_while_an_engineer_works_and_after_a_soft_reset(tmp_path: Path) -> None:
    with ready(tmp_path, speed=30) as wearable:
        host = wearable.connect()
        interrupt(host)
        pass_s(9)
        assert wearable.state()["resets"]["watchdog"] == 0 and b"1" in repl(host, "1")
        host.text = b""
        host.write(b"\x01")
        host.wait(lambda: b"raw REPL" in host.text, 5)
        host.write(b"\x04\x04")
        pass_s(9)
        state = wearable.state()
        assert state["resets"]["watchdog"] == 0 and state["watchdog_due_ms"] > 0


@pytest.mark.slow
def test_an_application_that_hangs_is_restarted_by_the_watchdog(tmp_path: Path) -> None:
    with ready(tmp_path, "--erase-ms", "9500", speed=1) as wearable:
        until(
            lambda: wearable.state()["resets"]["watchdog"],
            40,
            "a reset by an erase that stalls the chip for 9.5 s",
        )


@pytest.mark.real_time
def test_an_interrupted_start_is_not_held_against_the_application(tmp_path: Path) -> None:
    with ready(tmp_path, speed=30, slots="ab") as wearable:
        for _ in range(4):
            host = wearable.connect()
            host.text = b""
            interrupt(host)
            host.write(b"import machine; machine.reset()\r")
            pass_s(0.5)
            host.close()
        wearable.connect()
    assert read_file(wearable.image, "/slot") == b"a"


def broken(raises: str = "crs_device/monitor.mpy") -> bytes:
    files: dict[str, Any] = {name: code for name, code in compiled().items() if name != raises}
    return bundle(files)


@pytest.mark.slow
def test_an_application_that_never_becomes_healthy_gives_way_to_the_other_slot(tmp_path: Path) -> None:
    with ready(
        tmp_path, speed=30, slots="b", extra={"/a.app": broken("crs_device/app.mpy"), "/slot": b"a"}
    ) as wearable:
        host = wearable.connect(timeout_s=30)
        assert wearable.state()["resets"]["machine"] == 3
        events, _ = pull(host, 4)
        host.wait(
            lambda: any("slot b" in fault.detail for fault in of_type(pull(host)[0], record_layout.FAULT)), 10
        )
        assert events
    assert read_file(wearable.image, "/slot") == b"b"


def test_a_cut_or_damaged_slot_file_is_not_started(tmp_path: Path) -> None:
    whole = broken("")
    for damaged in (
        whole[: len(whole) // 2],
        whole[:30] + b"\0" + whole[31:],
        b"",
        b"CWAPP1 zzzzzzzz zzzzzzzz\n",
    ):
        with ready(tmp_path, speed=30, slots="b", extra={"/a.app": damaged, "/slot": b"a"}) as wearable:
            wearable.connect(timeout_s=20)


@pytest.mark.real_time
def test_without_an_application_a_provisioned_wearable_says_so_loudly_and_a_new_one_by_light(
    tmp_path: Path,
) -> None:
    with ready(tmp_path, speed=1, slots="") as wearable:
        host = wearable.plug()
        host.heartbeat_s = 0
        host.write(b"\r")
        host.wait(lambda: b">>> " in host.text, 5, "the REPL")
        assert colours_within(wearable, 2.5) == {(1, 0, 1), (0, 0, 0)}
        pass_s(3)
        log = [e for e in wearable.control("outputs")["log"] if e["what"] == "buzzer"]
        assert [entry["value"] for entry in log[:20]] == [520, 0] * 10, "3 + 2 pulses, twice"
        assert all(
            60 <= b["sim_ms"] - a["sim_ms"] <= 220 for a, b in zip(log[:20:2], log[1:20:2], strict=True)
        )
    with ready(tmp_path, speed=1, slots="", keys=(), settings=None, journal=False) as wearable:
        pass_s(1.5)
        assert not any(entry["what"] == "buzzer" for entry in wearable.control("outputs")["log"])
        assert (1, 0, 1) in colours_within(wearable, 2.5)


@pytest.mark.real_time
def test_the_button_held_at_power_on_gives_safe_mode_and_a_watchdog_start_ignores_it(tmp_path: Path) -> None:
    with ready(tmp_path, speed=1) as wearable:
        wearable.control("press", ms=6000)
        wearable.control("cut", off_ms=200)
        host = wearable.plug()
        host.heartbeat_s = 0
        host.wait(lambda: b"safe mode" in host.text, 8, "safe mode")
        host.write(b"\r")
        host.wait(lambda: b">>> " in host.text, 5, "the REPL")
        assert (1, 0, 1) in colours_within(wearable, 2.5)


def test_boot_runs_alone(tmp_path: Path) -> None:
    """boot.py and main.py name no module of the application but the one main.py starts."""
    for name, text in root_files().items():
        imports = [
            line.split()[1]
            for line in text.decode().splitlines()
            if line.strip().startswith(("import ", "from "))
        ]
        ours = [module for module in imports if module.split(".")[0] in ("crs_core", "crs_device", "boards")]
        assert ours == (["crs_device.app"] if name == "main.py" else [])


def test_the_pins_that_boot_drives_are_those_of_the_board_files() -> None:
    import ast

    firmware = Path(__file__).resolve().parents[2] / "firmware"
    pins: dict[str, Any] = {}
    for node in ast.parse((firmware / "boot.py").read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_PINS":
            pins = ast.literal_eval(node.value)
    assert set(pins) == {"rp2", "esp32", "linux"}
    for platform, board in (("rp2", "pico2_w"), ("esp32", "esp32s3")):
        text = (firmware / "boards" / f"{board}.py").read_text()
        names: dict[str, int] = {}
        for node in ast.parse(text).body:
            if isinstance(node, ast.Assign):
                target = node.targets[0]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    for name, value in zip(target.elts, node.value.elts, strict=True):
                        names[name.id] = ast.literal_eval(value)  # type: ignore[attr-defined]
                elif isinstance(target, ast.Name) and isinstance(node.value, ast.Constant):
                    names[target.id] = node.value.value  # type: ignore[assignment]
        wanted = tuple(names[name] for name in ("BUTTON", "RED", "GREEN", "BLUE", "BUZZER"))
        assert pins[platform] == wanted
