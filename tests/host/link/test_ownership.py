"""Who owns which port, across processes."""

import subprocess
import sys

import pytest

from host_agent.errors import PortBusy
from host_agent.link.ownership import claim, find_owner, owners

CHILD = """
import sys
from pathlib import Path
from host_agent.link.ownership import claim
held = claim(sys.argv[1], "/home/ward", 42, Path(sys.argv[2]))
print(held.owner.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other_agent(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, "/dev/ttyX", str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert int(child.stdout.readline()) == child.pid
    yield child
    child.kill()
    child.wait()


def test_an_owner_in_another_process_is_named_with_the_command_that_frees_its_port(other_agent, tmp_path):
    owner = find_owner("/dev/ttyX", tmp_path)
    assert owner is not None
    assert (owner.pid, owner.home, owner.since_utc_ms) == (other_agent.pid, "/home/ward", 42)
    assert owner.release_command == "cytowatch release /dev/ttyX --for 5m" and owners(tmp_path) == [owner]
    with pytest.raises(PortBusy, match=str(other_agent.pid)) as caught:
        claim("/dev/ttyX", "/home/me", 1, tmp_path)
    assert "cytowatch release" in caught.value.advice


def test_a_killed_owner_owns_nothing(other_agent, tmp_path) -> None:
    other_agent.kill()
    other_agent.wait()
    assert find_owner("/dev/ttyX", tmp_path) is None and owners(tmp_path) == []
    claim("/dev/ttyX", "/home/me", 1, tmp_path).drop()


def test_a_symlink_names_the_same_port(tmp_path) -> None:
    real = tmp_path / "ttyReal"
    real.touch()
    link = tmp_path / "wearable"
    link.symlink_to(real)
    folder = tmp_path / "owners"
    held = claim(str(real), "/home/me", 1, folder)
    assert find_owner(str(link), folder) is not None
    held.drop()


def test_a_half_written_record_is_no_crash(tmp_path) -> None:
    held = claim("/dev/ttyX", "/home/me", 1, tmp_path)
    next(tmp_path.glob("*.json")).write_text('{"port": "/de')
    assert find_owner("/dev/ttyX", tmp_path) is None
    with pytest.raises(PortBusy):
        claim("/dev/ttyX", "/home/other", 1, tmp_path)
    held.drop()
