"""A patient's binding on the real firmware: a journal of its own, and an end that wipes everything or nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crs_core.journal import record_layout
from crs_core.wire import message as wire
from crs_core.wire.parts import split_parts
from littlefs import LittleFS

from tools.rig.host import Host, of_type, pull
from tools.rig.image import CUSTODIAN, PATIENT, READER, read_image
from tools.rig.scenarios import worn
from tools.rig.waiting import pass_s
from tools.rig.wearable import Wearable, ready

PROFILE = "age_years=54\nbinding=7Q\ninfusion_date=2026-11-20\nproduct=axi-cel\nsite=axilla\n"


@pytest.fixture
def wearable(tmp_path: Path) -> Iterator[Wearable]:
    """A wearable in service with a bound patient."""
    with ready(tmp_path, speed=30) as wearable:
        yield wearable


def bind(host: Host, op: int, binding_id: bytes, profile: str = "") -> Any:
    parts = split_parts(profile.encode(), 60)
    for number, part in enumerate(parts):
        host.send(wire.Bind(op, binding_id, number, len(parts), part))
        if number < len(parts) - 1:
            assert host.take(wire.Result).code == wire.RESULT_MORE_PARTS
    return None


def end_synced(host: Host, binding_id: bytes = PATIENT) -> Any:
    """Ask for the end and commit what the wearable then sends, as a custodian's agent does."""
    host.send(wire.ReadFrom(1, 64, 2048))
    bind(host, wire.BIND_END, binding_id)
    received = 0

    def done() -> Any:
        nonlocal received
        for message in list(host.messages):
            if isinstance(message, wire.Block | wire.Gap):
                host.messages.remove(message)
                received += 1
            elif isinstance(message, wire.CaughtUp):
                host.messages.remove(message)
                host.send(wire.Ack(message.head_seq, received))
        return next((m for m in host.messages if isinstance(m, wire.Result)), None)

    result = host.wait(done, 15, "RESULT of BIND")
    host.messages.remove(result)
    return result


def test_a_start_makes_a_journal_that_tells_its_own_beginning(tmp_path: Path) -> None:
    with ready(tmp_path, speed=30, binding_id=None) as wearable:
        host = wearable.connect()
        live = host.take(wire.Live, 15)
        assert (live.fever, live.lower, live.upper) == (0, None, None), "nobody is graded while unbound"
        old = host.session.peer.journal_id
        bind(host, wire.BIND_START, b"NEWPATNT", PROFILE)
        assert host.take(wire.Result).code == wire.RESULT_DONE
        host.open_again()
        assert host.session.peer.journal_id not in (old, bytes(8)) and host.status().binding_id == b"NEWPATNT"
        events, _ = pull(host, 4)
        assert [event.type for _, event in events[:4]] == [
            record_layout.BINDING,
            record_layout.CALIBRATION,
            record_layout.SETTINGS,
            record_layout.GRADER_STATE,
        ]
        (binding,) = of_type(events, record_layout.BINDING)
        assert (binding.op, binding.binding_id, binding.profile) == (1, b"NEWPATNT", PROFILE.encode())
        host.see(wire.Live, lambda m: m.upper == 4, 20, "a grade")
        bind(host, wire.BIND_START, b"NEWPATNT", PROFILE)
        assert host.take(wire.Result).code == wire.RESULT_DONE, "asking twice is harmless"
        bind(host, wire.BIND_START, b"OTHERPAT", PROFILE)
        assert host.take(wire.Result).code == wire.RESULT_BUSY


def test_an_end_waits_for_the_custodian_and_then_wipes_all(tmp_path: Path) -> None:
    with ready(tmp_path, speed=30) as wearable:
        host = wearable.connect()
        host.take(wire.Live, 15)
        old = host.session.peer.journal_id
        assert end_synced(host).code == wire.RESULT_DONE
        host.open_again()
        assert host.session.peer.journal_id != old
        now = host.status()
        assert now.binding_id == bytes(8) and not now.flags & wire.STATUS_BOUND
        assert host.keys() == [CUSTODIAN.key_id]
        events, _ = pull(host)
        assert [event.type for _, event in events[:1]] == [record_layout.BINDING]
        assert of_type(events, record_layout.BINDING)[0].op == 2
        host.close()
        reader = wearable.plug(READER)
        with pytest.raises(AssertionError, match="no session"):
            reader.open(1.5)
        pass_s(1.5)  # the old journal is deleted a file at a time
    assert left_of(read_image(wearable.image), old) == []


def left_of(filesystem: LittleFS, journal_id: bytes) -> list[str]:
    """Files that still belong to the patient before."""
    found = []
    for folder, _, names in filesystem.walk("/"):
        for name in names:
            path = f"{folder}/{name}".replace("//", "/")
            with filesystem.open(path, "rb") as file:
                content = file.read()
            if journal_id in content or (path.startswith("/profile") and content) or ".old" in path:
                found.append(path)
    return found


def test_an_end_without_the_custodians_acknowledgement_is_refused_and_nothing_is_lost(
    wearable: Wearable,
) -> None:
    host = wearable.connect()
    host.take(wire.Live, 15)
    bind(host, wire.BIND_END, PATIENT)
    result = host.take(wire.Result, 50)
    assert result.code == wire.RESULT_NOT_SYNCED and "commit" in result.detail
    assert host.status().binding_id == PATIENT and pull(host)[0][0][0] == 1
    bind(host, wire.BIND_END, b"SOMEBODY")
    assert host.take(wire.Result).code == wire.RESULT_BAD_VALUE
    bind(host, wire.BIND_END_OVERRIDE, PATIENT)
    assert host.take(wire.Result).code == wire.RESULT_DONE
    host.open_again()
    assert host.status().binding_id == bytes(8)


@pytest.mark.parametrize("cut_after", [1, 3, 6, 10, 14])
def test_a_cut_in_the_middle_of_an_end_leaves_the_patient_bound_or_wiped_never_between(
    tmp_path: Path, cut_after: int
) -> None:
    with ready(tmp_path, speed=30) as wearable:
        host = wearable.connect()
        host.take(wire.Live, 15)
        old = host.session.peer.journal_id
        wearable.control("fault", what="cut_at", op=cut_after, torn_pct=50)
        bind(host, wire.BIND_END_OVERRIDE, PATIENT)
        host.pump_for(1.5)
        assert wearable.state()["flash"]["cuts"] == 1
        host.open()
        now = host.status()
        keys = host.keys()
        if now.flags & wire.STATUS_BOUND:
            assert (now.binding_id, host.session.peer.journal_id) == (PATIENT, old)
            assert keys == [CUSTODIAN.key_id, READER.key_id]
        else:
            assert host.session.peer.journal_id != old and keys == [CUSTODIAN.key_id]
            pass_s(1.5)
    if not now.flags & wire.STATUS_BOUND:
        assert left_of(read_image(wearable.image), old) == []


def test_a_binding_survives_a_power_cut_with_its_latches(tmp_path: Path) -> None:
    with ready(tmp_path, scenario=worn(temp_c=38.5, hr_bpm=90), speed=60) as wearable:
        host = wearable.connect()
        host.see(wire.Live, lambda m: m.lower == 1, 20, "grade 1..4")
        wearable.control("cut", off_ms=200)
        pass_s(0.5)
        host.open()
        host.messages.clear()
        live = host.take(wire.Live, 10)
        assert live.lower in (None, 1)
        events, _ = pull(host)
        boot = of_type(events, record_layout.BOOT)[-1]
        assert boot.grader_state[1] == 1, "the fever latch of the episode"
