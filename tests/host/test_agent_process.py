"""The agent as a process: what its terminal, its user or the system does to it, and what is seen of it afterwards."""

import asyncio
import json
import os
import pty
import re
import signal
import time
from pathlib import Path

import pytest

from host_agent.agent_signals import ENDING, GOING_ON, IGNORED, LEFT, name_of
from host_agent.control.socket import AgentNotAnswering, AgentNotRunning, call
from host_agent.paths import Paths
from host_agent.state_lock import read_note
from host_agent.terminal import exits
from tests.host.agent_process import QUIET, agent, suspend, until
from tests.host.cli.people_cli import run_process


@pytest.fixture
def home(tmp_path):
    made = Paths(tmp_path / "home").ensure().home
    (made / "config.toml").write_text(QUIET)
    return made


def log_of(home):
    path = Paths(home).log
    return path.read_text() if path.exists() else ""


async def answers(home):
    return (await call(Paths(home).socket, "status"))["pid"]


async def said(home, *arguments, **env):
    done = await asyncio.to_thread(run_process, home, *arguments, **env)
    assert "Traceback" not in done.stdout + done.stderr
    return done


async def test_a_terminal_that_closes_does_not_end_monitoring(home):
    master, slave = pty.openpty()

    def own_terminal():
        os.setsid()
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    async with agent(home, stdin=slave, stdout=slave, stderr=slave, preexec_fn=own_terminal) as running:
        os.close(slave)
        os.close(master)  # the system sends SIGHUP, and every later write fails
        await until(lambda: "the terminal was closed; monitoring goes on" in log_of(home))
        assert await answers(home) == running.pid
        running.terminate()
        assert await running.wait() == 0
    assert "stopped by SIGTERM" in (await said(home, "status")).stderr + (home / "agent.json").read_text()


def test_every_signal_of_the_platform_is_in_one_table():
    tables = [*ENDING, *GOING_ON, *IGNORED, *LEFT]
    assert sorted(tables) == sorted(signal.valid_signals())
    # what ends a process and has no answer here: nobody can answer the first, and after the others it would recur
    ends_it = {signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL}
    assert (
        set(LEFT) - {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH, signal.SIGSTOP}
        == ends_it
    )


async def test_no_signal_that_means_nothing_ends_or_suspends_it(home):
    async with agent(home) as running:
        for number in (*GOING_ON, *IGNORED, signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH):
            for _ in range(3):
                running.send_signal(number)
            assert await answers(home) == running.pid, number
        # texts that differ in a number alone are counted in the log, not repeated
        for text in (text for text in GOING_ON.values() if "SIGRTMIN+" not in text):
            await until(lambda text=text: f"{text} To stop it: kill {running.pid}" in log_of(home))


@pytest.mark.parametrize(
    "number", [number for number in ENDING if number not in (signal.SIGINT, signal.SIGTERM)]
)
async def test_a_signal_that_ends_it_ends_it_in_order_and_its_name_is_told(home, number):
    async with agent(home) as running:
        running.send_signal(number)
        assert await running.wait() == 0
    assert name_of(number) in read_note(home / "agent.json")["why"]


async def test_signals_while_it_starts_do_not_end_it(home):
    async with agent(home, ready=False) as running:
        await until(lambda: ignored(running.pid, signal.SIGUSR1))
        for number in GOING_ON:
            running.send_signal(number)
        await until(lambda: read_note(home / "agent.json").get("ready"))
        assert running.returncode is None


def ignored(pid, number):
    mask = int(re.search(r"SigIgn:\s*(\w+)", Path(f"/proc/{pid}/status").read_text()).group(1), 16)
    return mask >> (number - 1) & 1


async def test_a_terminal_held_by_ctrl_s_does_not_hold_the_agent(home):
    master, slave = pty.openpty()
    async with agent(home, stdout=slave, stderr=slave) as running:
        import termios

        termios.tcflow(slave, termios.TCOOFF)
        for _ in range(20):
            running.send_signal(signal.SIGHUP)
            assert await answers(home) == running.pid
        running.terminate()
        assert await running.wait() == 0
    os.close(slave)
    os.close(master)


async def test_a_suspended_agent_is_told_apart_by_every_command(home):
    async with agent(home) as running:
        await suspend(running)
        status, doctor, second, pause, restore = [
            await said(home, *arguments)
            for arguments in (["status"], ["doctor"], ["run"], ["pause", "--for", "5m"], ["restore", "x.db"])
        ]
        for done in (status, doctor, second, pause, restore):
            text = done.stdout + done.stderr
            assert "suspended" in text and f"kill -CONT {running.pid}" in text, text
            assert "not running" not in text
        assert (
            doctor.returncode == second.returncode == pause.returncode == restore.returncode == exits.FAILED
        )
        running.send_signal(signal.SIGCONT)
        assert await answers(home) == running.pid


async def test_a_stuck_agent_is_told_apart_from_one_that_is_busy(home):
    async with agent(home) as running:
        await suspend(running)  # as a loop that hangs: no answer and no sign of life
        moment = time.time() - 600
        os.utime(home / "agent.json", (moment, moment))
        with pytest.raises(AgentNotAnswering) as caught:
            await call(Paths(home).socket, "status")
        assert "since" in str(caught.value)


async def test_an_agent_whose_socket_was_deleted_is_not_taken_for_none(home):
    async with agent(home) as running:
        Paths(home).socket.unlink()
        with pytest.raises(AgentNotAnswering, match="its socket .* is gone") as caught:
            await call(Paths(home).socket, "status")
        assert f"kill {running.pid}" in caught.value.advice
        done = await said(
            home, "account", "add", "dr-a", "--role", "clinician", CYTOWATCH_NEW_PASSPHRASE="passphrase-1"
        )
        assert done.returncode == exits.FAILED and "is gone" in done.stderr
    with pytest.raises(AgentNotRunning):
        await call(Paths(home).socket, "status")


@pytest.mark.parametrize(
    "change", [{"TMPDIR": "/var/tmp"}, {"XDG_RUNTIME_DIR": "/nowhere"}, {"HOME": "/nowhere"}], ids=str
)
async def test_no_second_agent_starts_on_a_long_home_whatever_the_environment(tmp_path, change):
    home = Paths(tmp_path / ("a" * 100) / ("b" * 100)).ensure().home
    (home / "config.toml").write_text(QUIET)
    async with agent(home) as running:
        assert await answers(home) == running.pid
        (tmp_path / "link").symlink_to(home)
        for place in (home, tmp_path / "link"):
            second = await said(place, "run", **change)
            assert second.returncode == exits.FAILED and f"(pid {running.pid})" in second.stderr
            refused = await said(place, "restore", str(home / "cytowatch.db"), **change)
            assert "The agent runs on this state folder" in refused.stderr
        status = await said(tmp_path / "link", "status", **change)
        assert status.returncode in (exits.DONE, exits.NO_DATA)
        done = await said(home, "account", "list", **change)
        assert done.returncode == exits.NO_DATA


@pytest.mark.parametrize(
    "how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name
)
async def test_the_time_without_monitoring_is_told_by_status_doctor_and_the_next_start(home, how):
    async with agent(home) as running:
        running.send_signal(how)
        await running.wait()
    note = json.loads((home / "agent.json").read_text())
    why = "without a word" if how == signal.SIGKILL else how.name
    two_hours_ago = time.time() - 7200
    if how == signal.SIGKILL:
        os.utime(home / "agent.json", (two_hours_ago, two_hours_ago))
    else:
        (home / "agent.json").write_text(json.dumps(note | {"ended_utc_ms": round(two_hours_ago * 1000)}))
    doctor = await said(home, "doctor")
    assert "until now" in doctor.stdout and why in doctor.stdout
    async with agent(home):
        told = json.loads((await said(home, "status", "--json")).stdout)["presence"]
        assert told["state"] == "running" and why in told["gap"]["why"]
        assert abs(told["gap"]["until_utc_ms"] - told["gap"]["from_utc_ms"] - 7_200_000) < 600_000
        assert "Not monitoring from" in log_of(home)
        assert "Not monitoring from" in (await said(home, "doctor")).stdout
