"""Participants that a test starts and that end with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.rig.micropython import ROOT

TOY = Path(__file__).with_name("toy_participant.py")


class Cast:
    """The participants of one test."""

    def __init__(self):
        self.processes = {}

    def start(self, time, name, *behaviour):
        """Start a toy that the conductor then expects."""
        time.expect(name)
        self.processes[name] = subprocess.Popen(
            [sys.executable, str(TOY), time.path, name, *map(str, behaviour)],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}", "PYTHONHASHSEED": "0"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self.processes[name]

    def said(self, name):
        """What a participant that has ended printed."""
        return self.processes[name].communicate()[0].splitlines()

    def end(self):
        """Kill whoever is left."""
        for process in self.processes.values():
            process.kill()
            process.communicate()


@pytest.fixture
def cast():
    cast = Cast()
    yield cast
    cast.end()


@pytest.fixture
def busy_machine():
    """Other programs that take every core."""
    loops = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"], stdin=subprocess.DEVNULL)
        for _ in range(os.cpu_count() or 1)
    ]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()


@pytest.fixture
def busy_machine_later(request):
    """Call it: from then on the machine is busy."""
    return lambda: request.getfixturevalue("busy_machine")
