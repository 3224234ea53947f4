"""kill -9 of a process at the commit points of the outbox: no message lost, doubles only under the same key."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def sweep(*options):
    done = subprocess.run(
        [sys.executable, "-m", "tools.lab.kills", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.slow
def test_a_process_that_is_killed_at_commits_of_the_outbox_loses_nothing_and_doubles_only_under_the_same_key():
    code, said = sweep("--every", "4")
    assert said["messages"] == 9 and said["kills"] >= said["points"] * 0.9
    assert said["doubles"] > said["kills"], "a receiver that took it and did not say so gets it again"
    assert {said[one] for one in ("lost", "strange", "other bytes", "out of order")} == {0}, said["examples"]
    assert code == 0


@pytest.mark.slow
def test_a_delivery_that_is_noted_before_it_is_made_is_noticed():
    code, said = sweep("--every", "20", "--sabotage", "mark_first")
    assert code == 1 and said["lost"] > 0
