"""Air and agent in simulated time: radios over TCP, twice the same."""

import signal
import subprocess
import sys

from tools.conductor.conductor import Conductor
from tools.rig.image import CUSTODIAN
from tools.rig.laptop import RADIO_TOO, Laptop
from tools.rig.micropython import ROOT


def a_run(folder, seed):
    folder.mkdir()
    lines = []
    with Conductor(seed, record=lines.append) as time:
        time.expect("air")
        air = subprocess.Popen(
            [sys.executable, "-m", "tools.conductor.run_air", time.path, "air", str(folder)], cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        word, hci = air.stdout.readline().split()
        assert word == "READY"
        laptop = Laptop(folder / "home", CUSTODIAN, config=RADIO_TOO)
        runner = [sys.executable, "-m", "tools.conductor.run_cytowatch", time.path, "agent", "--hci", hci]
        laptop.agent_command = runner
        time.expect("agent")
        laptop.start("", 60)
        time.pass_s(32)
        laptop.agent.send_signal(signal.SIGTERM)
        time.until_gone("agent", 10)
        air.stdin.close()
        time.until_gone("air", 5)
        said = [line for line in laptop.log.read_text().splitlines() if "pid" not in line]
        assert (laptop.agent.wait(), air.wait()) == (0, 0)
        assert time.now_s() == 32
        air.stdout.close()
    return [line for line in lines if " air " in line], said


def test_two_runs_on_an_empty_air_are_the_same(tmp_path):
    air_lines, said = a_run(tmp_path / "one", 1)
    assert any("was not heard in 30 s" in line for line in said)
    assert len(air_lines) > 5
    assert a_run(tmp_path / "two", 1) == (air_lines, said)
