"""One port, one owner: the agent keeps it from mpremote, lends it on request and takes it back; and the watchdog."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.board.port import released
from tools.rig.bedside import Bedside
from tools.rig.repl import mpremote
from tools.rig.waiting import now_s, until

pytestmark = pytest.mark.real_time

SPEED = 20


@pytest.fixture
def bedside(tmp_path: Path) -> Iterator[Bedside]:
    """A wearable and an agent in session."""
    with Bedside(tmp_path, speed=SPEED) as bedside:
        bedside.start_agent()
        yield bedside


def test_without_release_mpremote_says_in_use_and_the_session_goes_on(bedside: Bedside) -> None:
    since = bedside.laptop.link()["since_utc_ms"]
    starts = bedside.laptop.totals().boots
    for _ in range(3):
        refused = mpremote(bedside.wearable, "fs", "ls")
        assert refused.returncode != 0 and "in use" in refused.stdout + refused.stderr
    link = bedside.laptop.link()
    assert (link["state"], link["since_utc_ms"]) == ("open", since), "the same session, undisturbed"
    before = bedside.laptop.readings()
    until(lambda: bedside.laptop.readings() > before, 15, "sync goes on")
    assert bedside.laptop.totals().boots == starts


def test_doctor_names_the_owner_and_the_release_command(bedside: Bedside) -> None:
    assert bedside.laptop.agent is not None
    said = bedside.laptop.cytowatch("doctor", check=False).stdout
    assert re.search(
        rf"port {re.escape(bedside.port)}: owned by the agent with pid {bedside.laptop.agent.pid}\b", said
    ), said
    (command,) = re.findall(rf"cytowatch (release {re.escape(bedside.port)} --for \S+)", said)
    other = bedside.add_laptop("another", key=None)
    assert f"pid {bedside.laptop.agent.pid}" in other.cytowatch("doctor", check=False).stdout, "from any home"
    bedside.laptop.cytowatch(*command.split())
    lent = bedside.laptop.cytowatch("doctor", check=False).stdout
    assert re.search(r"lent by the agent with pid \d+ until \d\d:\d\d", lent), lent
    assert mpremote(bedside.wearable, "exec", "print(6*7)").stdout.split() == ["42"]


def test_a_released_port_serves_mpremote_and_sync_resumes_by_itself(bedside: Bedside) -> None:
    before = bedside.laptop.readings()
    bedside.laptop.cytowatch("release", bedside.port, "--for", "12s")
    lent_at = now_s()
    assert bedside.laptop.link()["state"] == "released"
    assert mpremote(bedside.wearable, "exec", "print(6*7)").stdout.split() == ["42"], (
        "Ctrl-C stopped the application"
    )
    assert "boot.py" in mpremote(bedside.wearable, "fs", "ls").stdout
    state = bedside.wearable.state()
    assert state["resets"]["watchdog"] == 0 and mpremote(bedside.wearable, "reset").returncode == 0
    until(bedside.laptop.caught_up, 30, "sync after the lease")
    assert now_s() - lent_at >= 11.5, "the lease was kept"
    until(lambda: bedside.laptop.readings() > before, 15, "new readings")
    assert [row["cause"] for row in bedside.laptop.ask("history", "--kind", "restarts")["rows"]] == [2]


def test_the_tools_lend_and_give_back_for_themselves(
    bedside: Bedside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYTOWATCH_HOME", str(bedside.folder / "not the agent's home"))
    with released(bedside.port):
        assert bedside.laptop.link()["state"] == "released"
        assert mpremote(bedside.wearable, "exec", "print(6*7)", "+", "reset").returncode == 0
    until(bedside.laptop.caught_up, 15, "the port is taken back at once, not after ten minutes")


def test_a_copy_that_takes_longer_than_the_watchdog_succeeds(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(range(256)) * 56)
    with Bedside(tmp_path, "--bps", "36000", speed=1) as bedside:
        begun = now_s()
        done = mpremote(bedside.wearable, "fs", "cp", str(tmp_path / "big"), ":big", timeout_s=60)
        took_s = now_s() - begun
        assert done.returncode == 0, done.stderr
        assert took_s > 9, f"{took_s:.1f} s say nothing about a watchdog of 8 s"
        listing = mpremote(bedside.wearable, "resume", "fs", "ls").stdout
        assert "14336 big" in listing and bedside.wearable.state()["resets"]["watchdog"] == 0
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
    with Bedside(tmp_path, speed=SPEED, extra={"/main.py": wedge.encode()}) as bedside:
        bedside.laptop.start(bedside.port, SPEED)
        until(lambda: bedside.wearable.state()["resets"]["watchdog"] == 1, 25, "the watchdog's bite")
        until(bedside.laptop.caught_up, 20, "sync after the reset")
        restarts = until(
            lambda: bedside.laptop.ask("history", "--kind", "restarts")["rows"], 10, "the restart"
        )
        assert [row["cause_text"] for row in restarts] == ["by its watchdog"]
        assert bedside.wearable.state()["watchdog_due_ms"] > 0, "fed again"
