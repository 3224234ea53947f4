"""The real firmware starts on the virtual wearable, whole and with parts missing; nothing missing stops the rest."""

from binascii import crc32
from pathlib import Path

import pytest
from crs_core import codes
from crs_core.grade import rerun, rules
from crs_core.journal import record_layout, record_reader
from crs_core.wire import message as wire

from tools.rig.host import of_type, pull
from tools.rig.image import CUSTODIAN, PATIENT, read_file
from tools.rig.wearable import Wearable, ready
from tools.virtual_wearable.chip_process import CHIP_SIDE_BYTES

PPG, THERMOMETER = 0x57, 0x48


def test_a_start_journals_what_it_restarted_with_and_goes_on_measuring(wearable: Wearable) -> None:
    host = wearable.connect()
    status = host.status()
    assert status.flags == wire.STATUS_SIMULATED | wire.STATUS_BOUND
    assert (status.boot, status.binding_id) == (1, PATIENT)
    live = host.see_measured()
    assert abs(live.temp_cc - 3680) <= 20 and abs(live.spo2_tenths - 970) <= 20 and abs(live.hr_bpm - 72) <= 3
    assert (live.lower, live.upper) == (0, 4)
    events, readings = pull(host, 4)
    assert [event.type for _, event in events[:4]] == [
        record_layout.BOOT,
        record_layout.CALIBRATION,
        record_layout.SETTINGS,
        record_layout.GRADER_STATE,
    ]
    assert of_type(events, record_layout.SETTINGS)[0].text.splitlines()[-1] == "unit=C"
    assert of_type(events, record_layout.GRADE) and wearable.state()["led"] == [0, 0, 1] and host.text == b""
    assert readings == sorted(readings)


def test_every_journaled_alarm_step_is_repeated_bit_for_bit_by_a_host(tmp_path: Path) -> None:
    with ready(tmp_path, scenario="hypoxaemia", speed=60) as wearable:
        host = wearable.connect()
        host.see_alarm(codes.HYPOXAEMIA, codes.PRIORITY_HIGH, 30)
        state = wearable.state()
        events, _ = pull(host)
    steps = [
        (event.t_ms, record_reader.decode(event.type, event.payload))
        for _, event in events
        if event.type == record_layout.ALARM
    ]
    assert steps
    for t_ms, step in steps:
        after, changes = rerun.alarm_step(step.state_before, step.inputs, t_ms, rules.DEFAULT)
        assert tuple(changes) == step.changes and crc32(after) == step.state_after_crc
        assert step.rule_hash == rules.rule_hash(rules.DEFAULT)
    assert state["vibration"] in (0, 1)


def test_without_sensors_the_alarm_sounds_and_the_link_works(wearable: Wearable) -> None:
    for address in (PPG, THERMOMETER):
        wearable.control("fault", what="nack", address=address)
    host = wearable.connect()
    raised = host.see_alarm(codes.NO_DATA, 1, 20)
    assert raised.seq > 0
    live = host.take(wire.Live)
    assert live.spo2_tenths is None and wearable.state()["led"] == [1, 1, 0]
    log = wearable.control("outputs")["log"]
    assert any("buzzer" in str(entry) for entry in log)


@pytest.mark.parametrize("missing", ["ppg", "thermometer"])
def test_one_sensor_missing_leaves_the_other_measuring(wearable: Wearable, missing: str) -> None:
    wearable.control("fault", what="nack", address=PPG if missing == "ppg" else THERMOMETER)
    host = wearable.connect()

    def other_is_valid() -> bool:
        lives = [m for m in host.messages if isinstance(m, wire.Live)]
        if not lives:
            return False
        last = lives[-1]
        return last.status >> 3 & 7 == 0 if missing == "ppg" else last.spo2_tenths is not None

    host.wait(other_is_valid, 20)
    wearable.control("heal")
    host.see(wire.Live, lambda m: m.spo2_tenths and m.status >> 3 & 7 == 0, 20)


def test_without_a_journal_it_says_so_loudly_and_marks_the_doorbell_unjournaled(tmp_path: Path) -> None:
    with ready(tmp_path, speed=60, journal=False) as wearable:
        host = wearable.connect()
        status = host.status()
        assert status.flags & wire.STATUS_JOURNAL_FAULT and status.head_seq == 0
        assert host.session.peer.journal_id == bytes(8)
        assert host.ask(wire.ReadFrom(1, 4, 1024)).code == wire.RESULT_FAILED
        host.wait(lambda: wearable.state()["led"][1:] == [0, 0] and wearable.state()["led"][0], 10)
        host.take(wire.Live)


def test_an_unprovisioned_wearable_runs_and_refuses_every_key(tmp_path: Path) -> None:
    with ready(tmp_path, speed=60, settings=None, keys=(), journal=False) as wearable:
        host = wearable.plug(CUSTODIAN)
        with pytest.raises(AssertionError, match="no session"):
            host.open(2)
        assert set(host.refused) == {2}
        state = wearable.state()
        assert state["resets"]["watchdog"] == state["resets"]["machine"] == 0 and state["watchdog_due_ms"] > 0


@pytest.mark.parametrize(
    "without",
    ["crs_device/measuring/sampling.mpy", "crs_device/sensors/tmp117.mpy", "crs_device/link/serial_port.mpy"],
)
def test_a_part_whose_code_is_broken_does_not_stop_the_alarm(tmp_path: Path, without: str) -> None:
    with ready(tmp_path, speed=60, without=(without,)) as wearable:
        host = wearable.plug()
        log = host.wait(
            lambda: (
                [e for e in wearable.control("outputs")["log"] if "buzzer" in str(e) and "520" in str(e)]
                if "link" not in without
                else wearable.state()["led"] == [0, 0, 1]
            ),
            20,
            "sound or a measuring light",
        )
        assert log
        assert b"Traceback" in host.text or without
        assert wearable.state()["resets"]["watchdog"] == 0


def test_a_damaged_journal_is_kept_and_reported_and_never_formatted(tmp_path: Path) -> None:
    damaged = {"/journal/header.0": b"\0" * 40, "/journal/header.1": b"\xff" * 40}
    with ready(tmp_path, speed=60, extra=damaged) as wearable:
        host = wearable.connect()
        assert host.status().flags & wire.STATUS_JOURNAL_FAULT
        host.wait(lambda: wearable.state()["led"][0], 10)
    for name, content in damaged.items():
        assert read_file(wearable.image, name) == content


# main.py that hides the journal from the start and gives it back while the application runs
LATE_JOURNAL = b"""
import asyncio, os, sys
os.rename("/journal", "/hidden")
import crs_device.tasks as tasks
run_all = tasks.run_all
async def back():
    await asyncio.sleep(1)
    os.rename("/hidden", "/journal")
async def both(app):
    asyncio.create_task(back())
    await run_all(app)
tasks.run_all = both
from crs_device.app import run
run(sys.modules["boot_guard"])
"""


def test_a_journal_that_could_not_be_read_at_the_start_is_taken_up_later(tmp_path: Path) -> None:
    with ready(tmp_path, speed=60, extra={"/main.py": LATE_JOURNAL}) as wearable:
        host = wearable.connect()
        assert host.session.peer.journal_id == bytes(8) and host.status().flags & wire.STATUS_JOURNAL_FAULT
        host.open_again()
        assert host.session.peer.journal_id != bytes(8)
        events, _ = pull(host, 4)
        # samples that an erase cost at this speed may be told in between
        types = [event.type for _, event in events if event.type != record_layout.SAMPLE_GAP]
        assert types[:4] == [
            record_layout.BOOT,
            record_layout.CALIBRATION,
            record_layout.SETTINGS,
            record_layout.GRADER_STATE,
        ]
        host.wait(lambda: not host.status().flags & wire.STATUS_JOURNAL_FAULT)
        host.messages.clear()
        assert codes.JOURNAL_FAULT not in dict(host.take(wire.Live).alarms)


@pytest.mark.real_time
def test_the_heap_of_the_virtual_chip_is_the_firmwares_own(tmp_path: Path) -> None:
    """What --heap names is for the firmware: the chip's own side comes on top, neither less nor much more."""
    # measured without the chip's side; a real chip has them too
    interpreter_bytes, file_system_bytes = (
        960,
        2656,
    )
    look = b"import gc, sys\ngc.collect()\nsys.stdout.write('HEAP %d\\n' % gc.mem_alloc())\n"
    with ready(tmp_path, extra={"/boot.py": look, "/main.py": b""}) as wearable:
        host = wearable.plug()
        host.heartbeat_s = 0
        host.wait(lambda: b"HEAP" in host.text and host.text.endswith(b">>> "), 10)
    used = int(host.text.split(b"HEAP ")[1].split()[0])
    assert abs(used - interpreter_bytes - file_system_bytes - CHIP_SIDE_BYTES) <= 1536
