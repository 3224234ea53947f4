"""The real firmware's link: what each role may ask, windows, bad input, and the port that is also the REPL."""

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from crs_core import codes
from crs_core.journal import block_layout, block_reader, record_layout
from crs_core.keys import Key
from crs_core.units import TEMP_VALID, temp_state_of
from crs_core.wire import frame
from crs_core.wire import message as wire
from crs_core.wire.session_host import HostSession

from tools.rig.host import of_type, pull
from tools.rig.image import CUSTODIAN, READER
from tools.rig.waiting import pass_s
from tools.rig.wearable import Wearable, ready


def test_only_the_custodian_frees_flash(wearable: Wearable) -> None:
    reader = wearable.connect(READER)
    head = pull(reader)[0][-1][0]
    reader.send(wire.Ack(head, 1))
    assert reader.status().acked_seq == 0
    reader.close()
    custodian = wearable.connect(CUSTODIAN)
    custodian.send(wire.Ack(head, 0))
    assert custodian.status().acked_seq == head
    custodian.send(wire.Ack(4_000_000, 0))
    assert custodian.status().acked_seq == head


@pytest.mark.parametrize(
    "request_",
    [
        wire.Settings(wire.SETTINGS_SET, 0, 1, b"unit=F\n"),
        wire.Context(0, 1, b"x"),
        wire.Bind(wire.BIND_END, b"PATIENT1", 0, 1, b""),
        wire.Bind(wire.BIND_END_OVERRIDE, b"PATIENT1", 0, 1, b""),
        wire.Maintenance(wire.MAINTENANCE_ENTER, 60),
        wire.Pause(wire.PAUSE_BEGIN, 1, 60),
        wire.NobodyReached(3),
        wire.Keys(wire.KEYS_REVOKE, READER.key_id),
    ],
)
def test_a_reader_changes_nothing(wearable: Wearable, request_: Any) -> None:
    host = wearable.connect(READER)
    before = host.settings()
    assert host.ask(request_).code == wire.RESULT_FORBIDDEN
    after = host.settings()
    assert before == after and len(host.keys()) == 2 and host.status().binding_id == b"PATIENT1"
    assert host.counted(26) == 1


def test_an_alarm_that_reached_nobody_sounds_on_the_wearable_until_the_laptop_ends_it(
    wearable: Wearable,
) -> None:
    host = wearable.connect()
    assert host.ask(wire.NobodyReached(3)).code == wire.RESULT_DONE
    while (codes.NOBODY_REACHED, codes.PRIORITY_HIGH) not in [
        tuple(pair) for pair in host.take(wire.Alarm).alarms
    ]:
        pass
    assert host.ask(wire.NobodyReached(0)).code == wire.RESULT_DONE
    while codes.NOBODY_REACHED in [alarm for alarm, _ in host.take(wire.Alarm).alarms]:
        pass
    events, _ = pull(host)
    changes = [dict(record.changes) for record in of_type(events, record_layout.ALARM)]
    told = [change[codes.NOBODY_REACHED] for change in changes if codes.NOBODY_REACHED in change]
    assert told == [codes.PRIORITY_HIGH, 0]


def test_settings_are_changed_used_and_journaled_and_a_wrong_one_changes_nothing(wearable: Wearable) -> None:
    host = wearable.connect()
    assert host.change_settings("site=oral\nreading_interval_s=5\n").code == wire.RESULT_DONE
    now = host.settings()
    assert now.version == 2 and b"site=oral\n" in now.data
    refused = host.change_settings("site=elbow\n")
    assert refused.code == wire.RESULT_BAD_VALUE and "site" in refused.detail
    assert host.change_settings("nonsense=1\n").code == wire.RESULT_BAD_VALUE and host.settings() == now
    host.messages.clear()
    lives = [host.take(wire.Live) for _ in range(4)]
    assert [live.status & 7 for live in lives] == [2] * 4 and 4000 <= lives[3].t_ms - lives[2].t_ms <= 9000
    events, _ = pull(host)
    assert [entry.settings_version for entry in of_type(events, record_layout.SETTINGS)] == [1, 2]


def test_time_is_marked_once_and_again_when_the_hosts_clock_moved(wearable: Wearable) -> None:
    host = wearable.connect()
    utc_ms = 1_800_000_000_000
    first = host.ask(wire.Time(utc_ms, 20), wire.TimeIs)
    assert (first.utc_ms, first.boot) == (utc_ms, 1)
    pass_s(0.5)
    steady = utc_ms + host.status().now_ms - first.t_ms
    host.ask(wire.Time(steady, 20), wire.TimeIs)
    host.ask(wire.Time(steady + 7_200_000, 20), wire.TimeIs)
    events, _ = pull(host)
    marks = of_type(events, record_layout.TIME_MARK)
    assert [mark.utc_ms for mark in marks] == [utc_ms, steady + 7_200_000]
    assert marks[0].key_id == CUSTODIAN.key_id


def test_no_more_messages_fly_than_the_window_allows(wearable: Wearable) -> None:
    host = wearable.connect()
    host.wait(lambda: host.status().head_seq > 30, 20)
    host.messages.clear()
    host.send(wire.ReadFrom(1, 2, 64))
    host.pump_for(1.5)
    blocks = [m for m in host.messages if isinstance(m, wire.Block)]
    assert len(blocks) == 2
    host.send(wire.Ack(0, 1))
    host.wait(lambda: sum(isinstance(m, wire.Block) for m in host.messages) == 3, 5)


def test_events_overtake_the_backlog_and_nothing_comes_twice(wearable: Wearable) -> None:
    host = wearable.connect()
    host.wait(lambda: host.status().head_seq > 40, 20)
    host.messages.clear()
    host.send(wire.ReadFrom(1, 100, 300))
    kinds, seqs = [], []
    while True:
        message = host.take((wire.Block, wire.CaughtUp))
        if isinstance(message, wire.CaughtUp):
            break
        for piece in block_reader.split(message.data):
            header, _ = block_reader.decode(piece, host.session.peer.journal_id)
            kinds.append(header.kind)
            seqs += list(range(header.first_seq, header.first_seq + header.count))
    assert sorted(seqs) == sorted(set(seqs)) and set(range(1, max(seqs) + 1)) == set(seqs)
    first_reading = kinds.index(block_layout.KIND_READINGS)
    assert kinds[:first_reading].count(block_layout.KIND_EVENTS) >= 5


def test_a_wrong_key_an_unknown_key_and_a_revoked_key_are_refused(wearable: Wearable) -> None:
    for key, reason in (
        (Key(CUSTODIAN.key_id, 1, bytes(32), "thief"), 3),
        (Key(0x99, 1, CUSTODIAN.key, "stranger"), 2),
    ):
        host = wearable.plug(key)
        with pytest.raises(AssertionError, match="no session"):
            host.open(1.5)
        assert set(host.refused) == {reason}
        host.close()
    host = wearable.connect()
    assert host.ask(wire.Keys(wire.KEYS_REVOKE, CUSTODIAN.key_id)).code == wire.RESULT_BAD_VALUE
    assert host.ask(wire.Keys(wire.KEYS_REVOKE, READER.key_id)).code == wire.RESULT_DONE
    assert host.keys() == [CUSTODIAN.key_id]
    counted = dict(host.status().counters)
    host.close()
    reader = wearable.plug(READER)
    with pytest.raises(AssertionError, match="no session"):
        reader.open(1.5)
    assert set(reader.refused) == {2} and counted[37] >= 1 and counted[36] >= 1


def test_the_self_test_tells_every_part(wearable: Wearable) -> None:
    host = wearable.connect()
    report = json.loads(host.ask(wire.SelfTest(7), wire.SelfTestIs, 15).text)
    assert report["simulated"] is True
    parts = report["parts"]
    assert {name for name, part in parts.items() if part["pass"] is False} == set()
    assert parts["max3010x"]["id"] == "0x15" and parts["thermometer"]["chip"] == "Tmp117"
    assert parts["outputs"]["done"] == "look and listen"
    log = str(wearable.control("outputs")["log"])
    assert "880" in log
    wearable.control("fault", what="nack", address=0x48)
    parts = json.loads(host.ask(wire.SelfTest(0), wire.SelfTestIs, 15).text)["parts"]
    assert parts["thermometer"]["pass"] is False


def test_the_other_thermometer_is_found_and_read(tmp_path: Path) -> None:
    with ready(tmp_path, "--thermometer", "max30205", speed=60) as other:
        host = other.connect()
        is_valid = lambda m: m.temp_cc is not None and temp_state_of(m.status) == TEMP_VALID  # noqa: E731
        live = host.see(wire.Live, is_valid, 30, "a temperature")
        assert 3000 < live.temp_cc < 4200
        report = json.loads(host.ask(wire.SelfTest(0), wire.SelfTestIs, 15).text)
        assert report["parts"]["thermometer"] == {"pass": True, "chip": "Max30205"}


def test_maintenance_is_shown_told_journaled_and_ends_by_itself(wearable: Wearable) -> None:
    host = wearable.connect()
    host.take(wire.Live)
    assert host.ask(wire.Maintenance(wire.MAINTENANCE_ENTER, 0)).code == wire.RESULT_BAD_VALUE
    assert host.ask(wire.Maintenance(wire.MAINTENANCE_ENTER, 120)).code == wire.RESULT_DONE
    assert host.status().flags & wire.STATUS_MAINTENANCE
    host.wait(lambda: not host.status().flags & wire.STATUS_MAINTENANCE, 10)
    events, _ = pull(host)
    assert [entry.op for entry in of_type(events, record_layout.MAINTENANCE)] == [1, 2]


def test_a_newer_message_type_is_skipped(wearable: Wearable) -> None:
    host = wearable.connect()
    host.send(wire.Unknown(0x7E, b"from the future"))
    assert host.ask(wire.Ping(7), wire.Pong).token == 7


def test_noise_torn_frames_and_a_flood_do_not_disturb_the_session(wearable: Wearable) -> None:
    host = wearable.connect()
    noise = random.Random(7)
    sealed = host.session.seal(wire.Ping(1))
    garbage = [
        bytes(noise.randrange(256) for _ in range(300)).replace(b"\x03", b""),
        sealed[:-5],
        b"\x7e" * 50,
        frame.encode(os.urandom(90), True),
        frame.encode(b"CWHL" + bytes(44), True),
        b"\x7e" + b"A" * 3000 + b"\x7e",
    ]
    for piece in garbage:
        host.write(piece)
        pass_s(0.3)  # what overruns the 260 bytes of the receive ring is lost, like on a real port
        assert host.ask(wire.Ping(noise.randrange(1 << 30)), wire.Pong, 5)
    counted = dict(host.status().counters)
    spoiled = [
        counted.get(counter, 0) for counter in (13, 14, 15, 33)
    ]  # bad CRC, oversize, short, bad escape
    assert sum(spoiled) >= 2, counted
    assert wearable.state()["resets"]["watchdog"] == 0
    host.take(wire.Live)


def test_a_half_open_session_is_dropped_and_a_replayed_message_is_not_obeyed(wearable: Wearable) -> None:
    host = wearable.connect()
    host.write(HostSession(CUSTODIAN, os.urandom).start())  # and never a PROOF
    host.pump_for(5.7)
    assert host.counted(25) == 1
    replay = host.session.seal(wire.Settings(wire.SETTINGS_SET, 0, 1, b"unit=F\n"))
    host.write(replay)
    assert host.take(wire.Result).code == wire.RESULT_DONE
    host.write(replay)
    pass_s(0.3)
    assert host.status().settings_version == 2 and host.counted(18) == 1


def test_a_port_that_is_not_read_does_not_stop_the_wearable(wearable: Wearable) -> None:
    host = wearable.connect()
    host.send(wire.ReadFrom(1, 200, 2048))
    before = host.status().now_ms
    pass_s(4)  # nobody reads: the pty fills
    host.session.link_lost()
    host.messages.clear()
    host.open()
    now = host.status()
    assert now.now_ms - before > 150_000
    _, readings = pull(host)
    assert len(readings) >= 10
    late = dict(now.counters).get(7, 0)
    assert late < (now.now_ms - before) // 1000 // 3


def test_a_second_host_takes_the_session_over_only_with_its_key(wearable: Wearable) -> None:
    host = wearable.connect()
    stranger = wearable.plug(Key(CUSTODIAN.key_id, 1, bytes(32), "thief"))
    stranger.write(stranger.session.start())
    pass_s(0.3)
    stranger.close()
    assert host.ask(wire.Ping(3), wire.Pong, 5).token == 3
