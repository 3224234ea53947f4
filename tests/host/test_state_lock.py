"""One process works on a state folder, whatever the folder is called and wherever temporary files lie."""

import asyncio
import contextlib
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from host_agent.agent_run import AgentRun, gaps_of, past_gaps, without_data_s
from host_agent.paths import Paths, StateFolderError
from host_agent.state_lock import AGENT_NOTE, Holder, StateFolderBusy, StateLock, holder_of, read_note
from tests.fakes.fake_clock import FakeClock

CHILD = """
import asyncio, sys
from pathlib import Path
from host_agent.agent_run import AgentRun
from host_agent.paths import Paths
from host_agent.state_lock import StateLock
paths = Paths(Path(sys.argv[1]))
if sys.argv[2] != "run":
    held = StateLock(paths, sys.argv[2])
    print("held", flush=True)
    sys.stdin.read()
else:
    run = AgentRun(paths)
    async def live():
        alive = asyncio.create_task(run.keep_alive())
        await asyncio.sleep(0)
        print("held", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        alive.cancel()
    asyncio.run(live())
    run.ending("stopped by SIGTERM")
    run.end()
"""


@pytest.fixture
def paths(tmp_path):
    return Paths(tmp_path / "home").ensure()


@pytest.fixture
def start(paths):
    children = []

    def begin(command="run", home=paths.home, **environment):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(home), command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env={**os.environ, **environment},
        )  # fmt: skip
        children.append(child)
        assert child.stdout.readline() == "held\n"
        return child

    yield begin
    for child in children:
        child.kill()
        child.communicate()


def age_note(paths, seconds):
    moment = time.time() - seconds
    os.utime(paths.home / AGENT_NOTE, (moment, moment))


def test_a_second_agent_is_refused_with_the_pid_of_the_first_whatever_its_environment(paths, start, tmp_path):
    first = start(TMPDIR=str(tmp_path), XDG_RUNTIME_DIR=str(tmp_path), HOME="/")
    with pytest.raises(StateFolderBusy, match=rf"The agent runs on this state folder.*\(pid {first.pid}\)"):
        AgentRun(paths)
    assert holder_of(paths.home).pid == first.pid and holder_of(paths.home).is_agent


def test_a_link_to_the_folder_is_the_same_folder(paths, start, tmp_path):
    (tmp_path / "link").symlink_to(paths.home)
    start(home=tmp_path / "link")
    with pytest.raises(StateFolderBusy):
        StateLock(paths, "restore")


def test_deleting_every_file_of_it_does_not_free_it(paths, start):
    start()
    shutil.rmtree(paths.keys)
    for path in paths.home.iterdir():
        path.unlink()
    with pytest.raises(StateFolderBusy, match="agent runs"):
        AgentRun(paths)


def test_a_command_at_work_is_named(paths, start):
    child = start("restore")
    with pytest.raises(StateFolderBusy, match=rf"`cytowatch restore` \(pid {child.pid}\)"):
        AgentRun(paths)


def test_it_ends_with_the_process_however_that_ends(paths, start):
    child = start()
    child.kill()
    child.wait()
    assert holder_of(paths.home) is None
    StateLock(paths, "restore").release()


def test_looking_who_holds_it_never_keeps_anybody_out(paths):
    for _ in range(200):
        assert holder_of(paths.home) is None
        with StateLock(paths, "restore"):
            assert holder_of(paths.home).command == "restore"


def test_a_suspended_agent_is_told_apart_and_how_to_wake_it(paths, start):
    child = start()
    child.send_signal(signal.SIGSTOP)
    os.waitpid(child.pid, os.WUNTRACED)
    with pytest.raises(StateFolderBusy, match="suspended") as caught:
        AgentRun(paths)
    assert f"kill -CONT {child.pid}" in caught.value.advice
    child.send_signal(signal.SIGCONT)


def test_a_stuck_agent_is_told_apart_and_how_to_end_it(paths, start):
    child = start()
    age_note(paths, 60)
    with pytest.raises(StateFolderBusy, match="does not answer since") as caught:
        AgentRun(paths)
    assert f"kill -KILL {child.pid}" in caught.value.advice


def test_a_stuck_agent_whose_clock_was_set_back_is_not_called_busy(paths, start):
    start()
    age_note(paths, -3600)
    with pytest.raises(StateFolderBusy, match="does not answer since"):
        AgentRun(paths)


def test_the_note_of_a_killed_command_hides_no_agent_however_it_is_dated(paths, start):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    note = {"pid": ended.pid, "command": "restore", "since_utc_ms": 2 * 10**12}
    (paths.home / "command.json").write_text(json.dumps(note))
    child = start()
    assert holder_of(paths.home).pid == child.pid and holder_of(paths.home).is_agent


def test_a_folder_that_is_gone_or_cannot_be_locked_is_told_in_words(paths, monkeypatch):
    with pytest.raises(StateFolderError, match="cannot be opened"):
        StateLock(Paths(paths.home / "none"), "restore")

    def flock(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.raises(StateFolderError, match="network disk"):
        StateLock(paths, "restore")


@pytest.mark.parametrize(
    "note", [b"", b"{", b"[]", b'{"pid": "x"}', b'{"pid": 1e999}', b"\xff" * 100, b"[" * 9999]
)
def test_a_damaged_note_costs_the_name_of_the_holder_alone(paths, note):
    with StateLock(paths, "restore"):
        (paths.home / "command.json").write_bytes(note)
        (paths.home / AGENT_NOTE).write_bytes(note)
        assert holder_of(paths.home).pid in (0, os.getpid())
    AgentRun(paths).end()


def test_a_stop_is_written_with_its_reason_and_the_next_start_tells_the_gap(paths):
    clock = FakeClock()
    first = AgentRun(paths, clock)
    assert first.gap is None
    first.ending("stopped by SIGTERM")
    first.ending("later reasons do not count")
    first.end()
    (open_gap,) = gaps_of(paths.home, None)
    assert (open_gap.from_utc_ms, open_gap.until_utc_ms) == (clock.utc_ms(), None)
    assert open_gap.why == "stopped by SIGTERM" and "until now: stopped by SIGTERM" in open_gap.text()
    clock._now_s += 7200
    second = AgentRun(paths, clock)
    assert second.gap == open_gap._replace(until_utc_ms=clock.utc_ms()) and past_gaps(paths.home) == [
        second.gap
    ]
    second.end()


def test_a_gap_never_begins_after_its_end(paths):
    clock = FakeClock()
    AgentRun(paths, clock).end()
    clock.set(-3_600_000)
    run = AgentRun(paths, clock)
    assert run.gap.from_utc_ms == run.gap.until_utc_ms == clock.utc_ms()
    run.end()


async def test_two_hours_asleep_are_a_gap_and_a_clock_that_was_set_is_none(paths):
    clock = FakeClock()
    run = AgentRun(paths, clock)
    alive = asyncio.create_task(run.keep_alive())
    await clock.advance(10)
    clock.set(3_600_000)
    await clock.advance(10)
    assert past_gaps(paths.home) == []
    slept_from_ms = clock.utc_ms()
    clock._now_s += 7200
    await clock.advance(5)
    (gap,) = past_gaps(paths.home)
    assert (gap.from_utc_ms, gap.until_utc_ms) == (slept_from_ms, slept_from_ms + 7_200_000)
    assert "this computer slept" in gap.text()
    alive.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await alive
    run.end()


def test_an_end_without_a_word_is_dated_by_the_last_sign_of_life(paths, start):
    child = start()
    child.kill()
    child.wait()
    age_note(paths, 1000)
    with StateLock(paths, "restore"):  # its own note does not hide the agent's
        pass
    run = AgentRun(paths)
    assert run.gap.until_utc_ms - run.gap.from_utc_ms >= 1_000_000 and "without a word" in run.gap.why
    run.end()


def test_starts_that_fail_do_not_cut_a_gap_in_pieces(paths):
    clock = FakeClock()
    run = AgentRun(paths, clock)
    run.ending("stopped by SIGTERM")
    run.end()
    begun = clock.utc_ms()
    for _ in range(200):
        clock._now_s += 30
        run = AgentRun(paths, clock)
        run.ending("it could not start: the disk is full")
        run.end()
    run = AgentRun(paths, clock)
    assert past_gaps(paths.home) == [run.gap] and run.gap.from_utc_ms == begun
    assert run.gap.why == "stopped by SIGTERM"
    run.end()


def test_a_disk_that_takes_nothing_stops_no_start(paths, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fdopen", fail)
    run = AgentRun(paths)
    with pytest.raises(StateFolderBusy):
        AgentRun(paths)
    run.end()


@pytest.mark.parametrize(
    ("at", "shown"),
    [("2026-10-25T02:30:00+01:00", "02:30:00+01:00"), ("2026-10-26T02:30:00+01:00", "02:30:00")],
)
def test_the_time_of_a_silent_agent_has_its_offset_when_the_clocks_change(monkeypatch, at, shown):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        alive_ms = round(datetime.datetime.fromisoformat(at).timestamp() * 1000)
        holder = Holder(0, "run", alive_ms, alive_ms, is_ready=True)
        text, _ = holder.without_answer(alive_ms + 60_000)
        assert f" since {shown} (" in text
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_wall_clock_that_was_wrong_makes_neither_gap_nor_data_younger(paths):
    clock = FakeClock()
    run = AgentRun(paths, clock)
    data_s = clock.monotonic()
    run.newest_data_s = lambda: data_s
    clock._now_s += 60
    run.end()
    clock._now_s += 4200
    clock.set(-3_600_000)  # it stood an hour fast before
    assert without_data_s(paths.home, clock) == 4260
    second = AgentRun(paths, clock)
    assert second.gap.until_utc_ms - second.gap.from_utc_ms == 4_200_000
    clock._now_s += 60
    second.end()  # no data came in it
    assert without_data_s(paths.home, clock) == 4320
    note = read_note(paths.home / AGENT_NOTE)
    for counted in (
        {**note["counted"], "system": "another start"},
        {},
        "x",
        None,
        {"system": [], "data_s": []},
    ):
        (paths.home / AGENT_NOTE).write_text(json.dumps({**note, "counted": counted}))
        assert without_data_s(paths.home, clock) == 0


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="this system does not say who holds a lock")
def test_where_the_disk_took_no_note_the_lock_names_its_process_and_not_an_earlier_one(paths, monkeypatch):
    AgentRun(paths).end()
    monkeypatch.setattr("host_agent.agent_run.write_note", lambda path, note: None)
    run = AgentRun(paths)
    assert holder_of(paths.home) == Holder(os.getpid(), "run", 0, 0, is_ready=False)
    run.end()
