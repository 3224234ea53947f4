"""One port, one owner: the agent keeps it from mpremote, lends it on request and takes it back; and the watchdog."""

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.board_bench import MPREMOTE
from tools.board.port import released
from tools.rig.ward import Ward

SPEED = 20


def mpremote(port: str, *arguments: str, timeout_s: float = 30) -> subprocess.CompletedProcess[str]:
    """The real mpremote, as a person types it."""
    return subprocess.run(
        [str(MPREMOTE), "connect", port, *arguments],
        capture_output=True, text=True, timeout=timeout_s, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    """A wearable and an agent in session."""
    with Ward(tmp_path, speed=SPEED) as ward:
        ward.laptop.start(ward.port, SPEED)
        ward.until(ward.laptop.caught_up, 20, "the agent's session")
        yield ward


def test_without_release_mpremote_says_in_use_and_the_session_goes_on(ward: Ward) -> None:
    since = ward.laptop.link()["since_utc_ms"]
    boot = ward.laptop.query("SELECT max(boot) FROM events")
    for _ in range(3):
        refused = mpremote(ward.port, "fs", "ls")
        assert refused.returncode != 0
        assert "in use" in refused.stdout + refused.stderr
    link = ward.laptop.link()
    assert (link["state"], link["since_utc_ms"]) == ("open", since), "the same session, undisturbed"
    before = ward.laptop.readings()
    ward.until(lambda: ward.laptop.readings() > before, 15, "sync goes on")
    assert ward.laptop.query("SELECT max(boot) FROM events") == boot


def test_doctor_names_the_owner_and_the_release_command(ward: Ward) -> None:
    assert ward.laptop.agent is not None
    said = ward.laptop.cytowatch("doctor", check=False).stdout
    assert re.search(
        rf"port {re.escape(ward.port)}: owned by the agent with pid {ward.laptop.agent.pid}\b", said
    ), said
    (command,) = re.findall(rf"cytowatch (release {re.escape(ward.port)} --for \S+)", said)
    other = ward.add_laptop("another", key=None)
    assert f"pid {ward.laptop.agent.pid}" in other.cytowatch("doctor", check=False).stdout, "from any home"
    ward.laptop.cytowatch(*command.split())
    assert "lent until" in ward.laptop.cytowatch("doctor", check=False).stdout
    assert mpremote(ward.port, "exec", "print(6*7)").stdout.split() == ["42"]


def test_a_released_port_serves_mpremote_and_sync_resumes_by_itself(ward: Ward) -> None:
    before = ward.laptop.readings()
    ward.laptop.cytowatch("release", ward.port, "--for", "12s")
    lent_at = time.monotonic()
    assert ward.laptop.link()["state"] == "released"
    assert mpremote(ward.port, "exec", "print(6*7)").stdout.split() == ["42"], (
        "Ctrl-C stopped the application"
    )
    assert "boot.py" in mpremote(ward.port, "fs", "ls").stdout
    state = ward.wearable.control(cmd="state")
    assert state["resets"]["watchdog"] == 0
    assert mpremote(ward.port, "reset").returncode == 0
    ward.until(ward.laptop.caught_up, 30, "sync after the lease")
    assert time.monotonic() - lent_at >= 11.5, "the lease was kept"
    ward.until(lambda: ward.laptop.readings() > before, 15, "new readings")
    assert [row["cause"] for row in ward.laptop.ask("history", "--kind", "restarts")["rows"]] == [2]


def test_the_tools_lend_and_give_back_for_themselves(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYTOWATCH_HOME", str(ward.folder / "not the agent's home"))
    with released(ward.port):
        assert ward.laptop.link()["state"] == "released"
        assert mpremote(ward.port, "exec", "print(6*7)", "+", "reset").returncode == 0
    ward.until(ward.laptop.caught_up, 15, "the port is taken back at once, not after ten minutes")


def test_a_copy_that_takes_longer_than_the_watchdog_succeeds(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(range(256)) * 56)
    with Ward(tmp_path, "--bps", "36000", speed=1) as ward:
        begun = time.monotonic()
        done = mpremote(ward.port, "fs", "cp", str(tmp_path / "big"), ":big", timeout_s=60)
        took_s = time.monotonic() - begun
        assert done.returncode == 0, done.stderr
        assert took_s > 9, f"{took_s:.1f} s say nothing about a watchdog of 8 s"
        listing = mpremote(ward.port, "resume", "fs", "ls").stdout
        assert "14336 big" in listing
        assert ward.wearable.control(cmd="state")["resets"]["watchdog"] == 0
        print(f"copied in {took_s:.1f} s")


def test_a_wedged_application_is_reset_by_the_watchdog_and_monitors_again(tmp_path: Path) -> None:
    wedge = (
        "import asyncio, sys, time, os\n"
        "import crs_device.tasks as tasks\n"
        "run_all = tasks.run_all\n"
        "async def stuck():\n"
        "    await asyncio.sleep(2)\n"
        "    try:\n"
        "        os.stat('/wedged')\n"
        "    except OSError:\n"
        "        open('/wedged', 'w').close()\n"
        "        while True: pass\n"
        "async def both(app):\n"
        "    asyncio.create_task(stuck())\n"
        "    await run_all(app)\n"
        "tasks.run_all = both\n"
        "from crs_device.app import run\n"
        "run(sys.modules['boot_guard'])\n"
    )
    with Ward(tmp_path, speed=SPEED, extra={"/main.py": wedge.encode()}) as ward:
        ward.laptop.start(ward.port, SPEED)
        ward.until(
            lambda: ward.wearable.control(cmd="state")["resets"]["watchdog"] == 1, 25, "the watchdog's bite"
        )
        ward.until(ward.laptop.caught_up, 20, "sync after the reset")
        restarts = ward.until(
            lambda: ward.laptop.ask("history", "--kind", "restarts")["rows"], 10, "the restart"
        )
        assert [row["cause_text"] for row in restarts] == ["by its watchdog"]
        assert ward.wearable.control(cmd="state")["watchdog_due_ms"] > 0, "fed again"
