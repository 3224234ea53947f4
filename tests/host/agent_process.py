"""`cytowatch run` as a process of its own, for tests of what the system does to it."""

import asyncio
import contextlib
import os
import signal
import subprocess

from host_agent.paths import Paths
from host_agent.state_lock import read_note
from tests.host.cli.people_cli import COMMAND

QUIET = "[serial]\nscan_usb = false\n[ble]\nenabled = false\n"


async def until(check):
    """Without a deadline: a computer that has other work is slow, and a hang is ended by the suite."""
    while not (found := check()):
        await asyncio.sleep(0.02)
    return found


async def suspend(running):
    """Suspend it. On return the system has stopped every thread of it."""
    running.send_signal(signal.SIGSTOP)
    await asyncio.to_thread(os.waitid, os.P_PID, running.pid, os.WSTOPPED | os.WNOWAIT)


@contextlib.asynccontextmanager
async def agent(home, *, ready=True, **how):
    """A running agent; `how` is for the process.

    In a session of its own: where a shell that started the tests ends, the system wakes what is suspended in its group.
    """
    if "preexec_fn" not in how:
        how["start_new_session"] = True
    running = await asyncio.create_subprocess_exec(
        COMMAND, "run", stdin=how.pop("stdin", subprocess.DEVNULL),
        env={**os.environ, "CYTOWATCH_HOME": str(home), **how.pop("env", {})},
        **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **how},
    )  # fmt: skip
    try:
        if ready:
            await until(lambda: read_note(home / "agent.json").get("pid") == running.pid)
            await until(lambda: read_note(home / "agent.json").get("ready") and Paths(home).socket.exists())
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.send_signal(signal.SIGCONT)
            running.kill()
        await running.wait()
