"""`cytowatch service` and `cytowatch test-sound`, typed: what is printed, exit codes, and what is refused."""

import asyncio
import json
import os
import shutil
import subprocess

import pytest

from tests.host.agent_process import QUIET, agent
from tests.host.cli.guard_world import PROOF, acts, in_alarm, said
from tests.host.cli.people_cli import COMMAND, run, run_process
from tools.rig.sound_server import MISSING, SINK, has_sound_server, sound_server

SYSTEMCTL = """#!/bin/sh
echo "$0 $@" >> "$LOG"
case "$*" in *show*) echo "ActiveState=${STATE:-active}"; echo SubState=running; echo "MainPID=${PID:-7}"
echo NRestarts=2; echo "StatusText=monitoring";; esac
"""


class Laptop:
    """A computer whose manager is a script: `ran` are its commands."""

    def __init__(self, folder):
        self.home = folder / "home"
        self.home.mkdir(mode=0o700, exist_ok=True)
        if not (self.home / "config.toml").exists():
            (self.home / "config.toml").write_text(QUIET)
        self.log = folder / "log"
        self.log.touch()
        for name in ("systemctl", "loginctl"):
            (folder / "bin").mkdir(exist_ok=True)
            (folder / "bin" / name).write_text(SYSTEMCTL)
            (folder / "bin" / name).chmod(0o755)
        self.environ = {
            "PATH": f"{folder}/bin:{os.environ['PATH']}", "LOG": str(self.log),
            "HOME": str(folder), "XDG_CONFIG_HOME": "",
        }  # fmt: skip
        self.unit = folder / ".config/systemd/user/cytowatch.service"

    def type(self, *words, how=run, **environ):
        return how(self.home, "service", *words, **{**self.environ, **environ})

    def ran(self):
        return [" ".join(line.rsplit("/", 1)[-1].split()) for line in self.log.read_text().splitlines()]


@pytest.fixture
def laptop(tmp_path):
    return Laptop(tmp_path)


def test_installed_seen_and_removed(laptop):
    done = laptop.type("install")
    assert done.returncode == 0 and f"Installed {laptop.unit} and started it." in done.stdout
    assert "survives logout" in done.stdout and "loginctl enable-linger" in "".join(laptop.ran())
    assert f'"CYTOWATCH_HOME={laptop.home}"' in laptop.unit.read_text()
    again = laptop.type("install", "--json")
    assert again.returncode == 0 and json.loads(again.stdout)["changed"] is False
    seen = laptop.type("status")
    assert seen.returncode == 0 and "It runs, pid 7, started again 2 times. monitoring" in seen.stdout
    assert laptop.type("status", STATE="failed").returncode == 1
    gone = laptop.type("remove")
    assert gone.returncode == 0 and not laptop.unit.exists() and "does not monitor any more" in gone.stdout
    assert laptop.type("remove").returncode == 4 and laptop.type("status").returncode == 4
    assert json.loads(laptop.type("status", "--json").stdout)["standing"] == "none"


def test_a_dry_run_changes_nothing(laptop):
    done = laptop.type("install", "--dry-run")
    assert (
        done.returncode == 0 and "WatchdogSec=30" in done.stdout and "systemctl --user restart" in done.stdout
    )
    assert not laptop.unit.exists() and laptop.ran() == []


def test_a_foreign_unit_stays_and_the_words_say_what_to_do(laptop):
    laptop.unit.parent.mkdir(parents=True)
    laptop.unit.write_text("[Service]\nExecStart=/bin/other\n")
    for words in (("install",), ("remove",)):
        done = laptop.type(*words)
        assert (
            done.returncode == 1
            and "is not a service of this program" in done.stderr
            and "Move it away" in done.stderr
        )
    assert "ExecStart=/bin/other" in laptop.unit.read_text() and laptop.ran() == []


def test_a_configuration_that_is_refused_makes_no_service(laptop):
    (laptop.home / "config.toml").write_text("[sound]\nvolume = 5\n")
    done = laptop.type("install")
    assert done.returncode == 2 and "sound.volume" in done.stderr and not laptop.unit.exists()


@pytest.mark.parametrize(
    "words", [("install", "--system"), ("install", "--as", "maria"), ("status", "--system")]
)
def test_options_that_do_not_fit_are_wrong_usage(laptop, words):
    assert laptop.type(*words).returncode == 2


def test_without_systemd_it_says_so(laptop, tmp_path):
    (tmp_path / "empty").mkdir()
    done = laptop.type("install", PATH=str(tmp_path / "empty"))
    assert done.returncode == 1 and "systemctl is not on this computer" in done.stderr


async def test_an_agent_that_was_started_by_hand_is_in_the_way(laptop):
    async with agent(laptop.home) as running:
        done = laptop.type("install", how=run_process)
        assert done.returncode == 1 and f"started by hand monitors already, pid {running.pid}" in done.stderr
        assert not laptop.unit.exists() and running.returncode is None
        assert laptop.type("install", how=run_process, PID=str(running.pid)).returncode == 0


async def test_removing_a_service_that_runs_stops_its_agent_in_order(laptop):
    async with agent(laptop.home) as running:
        assert laptop.type("install", how=run_process, PID=str(running.pid)).returncode == 0
        assert laptop.type("remove", how=run_process, PID=str(running.pid)).returncode == 0
        assert await running.wait() == 0


async def test_a_service_is_not_removed_under_a_high_alarm_unless_somebody_stands_for_it(ward, laptop):
    environ = {**laptop.environ, "PID": str(os.getpid())}
    async with ward.agent() as running:
        await in_alarm(ward)
        await said(ward, "service", "install", **environ)
        text = await said(ward, "service", "remove", code=1, **environ)
        assert "HIGH alarms stand about P-1: oxygen low" in text and laptop.unit.exists()
        await said(ward, "service", "remove", *PROOF, **environ)
        assert not laptop.unit.exists() and acts(ward)[-1]["act"] == "stop" and running._stop.is_set()


def test_test_sound_wants_a_priority(laptop):
    done = run(laptop.home, "test-sound", "--priority", "LOUD", **laptop.environ)
    assert done.returncode == 2 and "HIGH, MEDIUM or LOW" in done.stderr


@pytest.mark.real_time
def test_test_sound_says_that_there_is_no_loudspeaker(laptop):
    environ = {"PULSE_SERVER": "unix:/nowhere", "XDG_RUNTIME_DIR": str(laptop.home)}
    done = run_process(laptop.home, "test-sound", **environ)
    assert done.returncode == 1 and "This laptop cannot be heard: no loudspeaker answers." in done.stdout


@pytest.mark.real_time
@pytest.mark.skipif(not has_sound_server(), reason=MISSING)
def test_test_sound_plays_and_finds_a_mute(laptop):
    with sound_server() as server:
        done = run_process(laptop.home, "test-sound", "--priority", "medium", "--json", **server.environ)
        told = json.loads(done.stdout)
        assert done.returncode == 0 and (told["fault"], told["device"]) == (None, "PulseAudio")
        server.control("set-sink-mute", SINK, "1")
        done = run_process(laptop.home, "test-sound", "--json", **server.environ)
        assert done.returncode == 1 and json.loads(done.stdout)["fault"] == "its sound is muted"


@pytest.mark.skipif(
    not (shutil.which("strace") and shutil.which("systemd-analyze")),
    reason="no strace or systemd-analyze here; `apt-get install strace systemd` brings them",
)
async def test_the_sandbox_takes_away_nothing_that_the_agent_uses(laptop, tmp_path):
    """What `cytowatch run` asks of the kernel, traced, beside what the unit allows."""
    traced = tmp_path / "trace"
    running = await asyncio.create_subprocess_exec(
        "strace", "-f", "-qq", "-o", traced, "-e", "signal=none", COMMAND, "run",
        env={**os.environ, **laptop.environ, "CYTOWATCH_HOME": str(laptop.home)},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not (laptop.home / "agent.sock").exists():
        await asyncio.sleep(0.05)
    assert run_process(laptop.home, "status", **laptop.environ).returncode == 4
    pid = json.loads((laptop.home / "agent.json").read_text())["pid"]
    os.kill(pid, 15)
    await running.wait()
    used, families = set(), set()
    for line in traced.read_text(errors="replace").splitlines():
        call = line.split(maxsplit=1)[1]
        if "(" in call and not call.startswith(("<", "+", "-")):
            used.add(call.split("(")[0])
            if call.startswith("socket("):
                families.add(call.split("(")[1].split(",")[0])
    assert len(used) > 30 and used <= allowed("@system-service"), used - allowed("@system-service")
    assert families <= {"AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_BLUETOOTH"}


def allowed(group):
    told = subprocess.run(
        ["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True
    )
    names = [line.strip() for line in told.stdout.splitlines() if line.startswith("    ") and "#" not in line]
    return {one for name in names for one in (allowed(name) if name.startswith("@") else {name})}
