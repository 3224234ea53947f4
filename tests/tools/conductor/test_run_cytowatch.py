"""The real agent in simulated time: no wearable, no radio; its commands are participants too."""

import ipaddress
import json
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from tools.conductor.conductor import Conductor
from tools.rig.image import CUSTODIAN
from tools.rig.laptop import CABLE_ONLY, Laptop
from tools.rig.webhook_receiver import Receiver

SECRET = "seven wet stones under grey water"
HOOK = '[[webhook]]\nname = "{}"\nurl = "{}"\nsecret_file = "{}"\naccept_simulated = true\n'


class Bedside:
    """A laptop whose agent and commands take part in the conductor's time."""

    def __init__(self, folder, time, config=""):
        self.laptop = Laptop(folder, CUSTODIAN, config=CABLE_ONLY + config)
        self.time = time
        self.runner = [sys.executable, "-m", "tools.conductor.run_cytowatch", time.path]

    def start(self, speed=60):
        self.laptop.agent_command = [*self.runner, "agent"]
        self.time.expect("agent")
        self.laptop.start("", speed)

    def stop(self):
        self.laptop.agent.send_signal(signal.SIGTERM)
        self.time.until_gone("agent", 20)
        return self.laptop.agent.wait()

    def cytowatch(self, *words):
        self.time.expect("command")
        command = subprocess.Popen(
            [*self.runner, "command", *words], env=self.laptop.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.time.until_gone("command", 60)
        out, err = command.communicate()
        return command.returncode, out, err


def content(database):
    """Every row of every table of a store."""
    with closing(sqlite3.connect(database)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: list(db.execute(f"SELECT * FROM {name}")) for name in sorted(tables)}


@pytest.fixture
def receiver():
    receivers = []

    def make(time, **options):
        receivers.append(Receiver(SECRET.encode(), now_s=lambda: time.utc_ms() / 1000, **options))
        time.watch(receivers[-1].quiet)
        return receivers[-1]

    yield make
    for one in receivers:
        one.close()


def home_config(folder):
    return (folder / "home" / "config.toml").read_text()


def a_run(folder, seed, make_receiver, port=0):
    """Two receivers are told that nothing arrives from the wearable; what is stored, said and delivered."""
    folder.mkdir()
    (folder / "secret").write_text(SECRET)
    (folder / "secret").chmod(0o600)
    told, lines = [], []
    with Conductor(seed, record=lines.append) as time:
        receivers = [
            make_receiver(time, on_event=lambda event, n=n: told.append((n, time.now_s(), event)))
            for n in range(2)
        ]
        hooks = [
            HOOK.format(f"to{n}", one.url, folder / "secret") for n, one in enumerate(receivers)
        ]  # fmt: skip
        bedside = Bedside(folder / "home", time, "".join(hooks))
        bedside.start()
        time.pass_s(40)
        code, out, err = bedside.cytowatch(
            "account", "add", "dr-1", "--role", "clinician", "--new-passphrase-file", str(folder / "secret")
        )
        assert code == 0, err
        assert bedside.stop() == 0
        assert [one.refused for one in receivers] == [[], []]
    return {
        "store": content(bedside.laptop.database), "told": told, "lines": lines,
        "account": out.replace(str(folder), ""),
    }  # fmt: skip


def test_agent_starts_answers_and_ends(tmp_path):
    with Conductor() as time:
        bedside = Bedside(tmp_path, time)
        bedside.start()
        time.pass_s(10)
        code, out, err = bedside.cytowatch("status", "--json")
        assert code in (0, 4), err
        status = json.loads(out)
        assert status["agent_running"]
        assert time.now_s() == 10
        assert bedside.laptop.status()["simulation_speed"] == 60
        assert bedside.stop() == 0
        assert time.now_s() == 10
        note = json.loads((tmp_path / "agent.json").read_text())
        assert note["since_utc_ms"] == time.utc_start_ms
        assert note["ended_utc_ms"] == time.utc_start_ms + 10_000
    assert "2026-01-01 08:00:00,000" in bedside.laptop.log.read_text()


def test_two_runs_of_one_seed_leave_the_same(tmp_path, receiver, busy_machine_later):
    one = a_run(tmp_path / "one", 3, receiver)
    assert one["store"]["outbox"]
    # the silence of the wearable is told at 30 min; a POST takes no simulated time
    assert sorted(number for number, at_s, _ in one["told"] if at_s == 30) == [0, 1]
    # the new account is told of in the moment in which it is made
    assert {at_s for _, at_s, _ in one["told"]} == {30, 40}
    busy_machine_later()
    assert a_run(tmp_path / "two", 3, receiver) == one


def test_questions_from_outside_change_nothing(tmp_path, receiver, monkeypatch):
    """The player's process asks the agent at any real time; what is stored and told stays the same."""
    quiet = a_run(tmp_path / "quiet", 5, receiver)
    original = Conductor.pass_s

    def pass_and_ask(time, seconds):
        for _ in range(4):
            original(time, seconds / 4)
            assert Laptop(tmp_path / "asked" / "home", config=home_config(tmp_path / "asked")).status()

    monkeypatch.setattr(Conductor, "pass_s", pass_and_ask)
    asked = a_run(tmp_path / "asked", 5, receiver)
    assert (asked["store"], asked["told"]) == (quiet["store"], quiet["told"])


def test_receiver_that_takes_long_and_one_that_is_away(tmp_path, receiver):
    """Real time that a receiver needs is no simulated time; a closed port is retried in simulated time."""
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    told = []

    def slow(event):
        threading.Event().wait(0.3)
        told.append(time.now_s())

    with Conductor(2) as time:
        one = receiver(time, on_event=slow)
        away = receiver(time)
        time.unwatch(away.quiet)
        away.close()
        hooks = [HOOK.format(f"to{n}", url, tmp_path / "secret") for n, url in enumerate([one.url, away.url])]
        bedside = Bedside(tmp_path / "home", time, "".join(hooks))
        bedside.start()
        time.pass_s(35)
        assert told == [30]
        rows = content(bedside.laptop.database)["outbox"]
        assert len(rows) == 2
        assert bedside.stop() == 0


def test_kill_at_an_edge_is_the_same_kill_each_time(tmp_path):
    """Before and after one transaction are two edges; each leaves a store that the next agent goes on with."""

    def killed(folder, edge):
        with Conductor(3) as time:
            bedside = Bedside(folder, time)
            bedside.runner.append("agent")
            bedside.laptop.agent_command = [*bedside.runner, "--kill-at", str(edge)]
            time.expect("agent")
            bedside.laptop.start("", 60)
            time.until_gone("agent", 60)
            assert bedside.laptop.agent.wait() == -signal.SIGKILL
            left = time.now_s(), content(bedside.laptop.database)
            bedside.runner.pop()
            bedside.start()
            time.pass_s(1)
            assert bedside.stop() == 0
            return left

    ends = [killed(tmp_path / f"{edge}", edge) for edge in (1, 2, 120)]
    assert ends == [killed(tmp_path / f"again-{edge}", edge) for edge in (1, 2, 120)]
    assert ends[0][0] == ends[1][0] == 0 < ends[2][0]


def test_gap_after_a_kill_is_the_simulated_one(tmp_path):
    with Conductor() as time:
        bedside = Bedside(tmp_path, time)
        bedside.start(speed=1)
        time.pass_s(62)
        bedside.laptop.stop(signal.SIGKILL)
        time.pass_s(100)
        bedside.start(speed=1)
        time.pass_s(1)
        gap = json.loads((tmp_path / "agent.json").read_text())["gaps"][-1]
        # the last sign of life was at 60 s
        assert gap[:2] == [time.utc_start_ms + 60_000, time.utc_start_ms + 162_000]
        assert bedside.stop() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only 127.0.0.1 is there")
def test_receiver_is_where_no_other_process_ever_was():
    receiver = Receiver(SECRET.encode())
    try:
        host = urlsplit(receiver.url).hostname
        assert host != "127.0.0.1" and ipaddress.ip_address(host).is_loopback
    finally:
        receiver.close()
