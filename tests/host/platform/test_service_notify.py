"""What the agent tells a service manager, received on a real socket as systemd receives it."""

import asyncio
import contextlib
import os
import signal
import socket

import pytest

from host_agent.escalation.checks.runner import HANGING_REAL_S, CheckRunner
from host_agent.laptop import feed
from host_agent.paths import Paths
from host_agent.platform.service_notify import ServiceManager
from tests.fakes.fake_clock import FakeClock
from tests.host.agent_process import QUIET, agent, suspend


class Manager:
    """The other end: `said` has each datagram, as lines."""

    def __init__(self, address):
        self.link = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.link.bind(address)
        self.link.setblocking(False)
        self.environ = {"NOTIFY_SOCKET": address.replace("\0", "@")}

    def heard(self):
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self.link.recv(4096).decode())
        return found

    async def next(self, begins):
        """The next datagram that begins like this. A test that hears nothing is ended by the suite."""
        while True:
            said = await asyncio.get_running_loop().sock_recv(self.link, 4096)
            if said.decode().startswith(begins):
                return said.decode()


@pytest.fixture(params=["file", "abstract"])
def manager(request, tmp_path):
    abstract = f"\0cytowatch-{os.getpid()}-{tmp_path.name}"
    made = Manager(abstract if request.param == "abstract" else str(tmp_path / "notify"))
    yield made
    made.link.close()


def test_each_word_is_one_datagram(manager):
    service = ServiceManager(dict(manager.environ))
    service.ready("monitoring")
    service.feed()
    service.stuck("not fed:\nREADY=1")
    service.stopping("SIGTERM")
    assert manager.heard() == [
        "READY=1\nSTATUS=monitoring", "WATCHDOG=1", "STATUS=not fed: READY=1", "STOPPING=1\nSTATUS=SIGTERM",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("environ", "every_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000"}, 10.0),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 10.0),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "0"}, None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_it_is_fed_three_times_within_the_limit_and_only_by_the_process_that_is_watched(environ, every_s):
    given = dict(environ)
    assert ServiceManager(given, pid=7).feed_every_s == every_s
    assert not given, "no process that is started from here speaks for this one"


@pytest.mark.parametrize("address", ["", "/nowhere/notify", "relative", "vsock:2:1", "@"])
def test_a_manager_that_does_not_listen_harms_nothing(address):
    ServiceManager({"NOTIFY_SOCKET": address}).ready("monitoring")


def test_a_manager_that_reads_nothing_holds_up_nothing(manager):
    service = ServiceManager(dict(manager.environ))
    for _ in range(10_000):
        service.feed()


class Hanging:
    """A check that hangs once it is asked to."""

    name, every_s, least_real_s = "hanging", 1.0, 0.0
    hangs = False

    async def look(self):
        if self.hangs:
            await asyncio.Event().wait()


async def test_it_is_fed_only_while_the_checks_run(manager):
    clock, check = FakeClock(), Hanging()
    runner = CheckRunner([check], clock, seconds=clock.monotonic)
    service = ServiceManager({**manager.environ, "WATCHDOG_USEC": "30000000"})
    jobs = [asyncio.ensure_future(runner.run()), asyncio.ensure_future(feed(service, runner.hanging, clock))]
    await clock.advance(100)
    assert manager.heard().count("WATCHDOG=1") >= 10
    check.hangs = True
    await clock.advance(HANGING_REAL_S + 12)
    manager.heard()
    await clock.advance(100)
    assert manager.heard() == []
    assert runner.hanging() == ["hanging"]
    for job in jobs:
        job.cancel()


async def test_checks_that_do_not_run_at_all_feed_nothing(manager):
    clock = FakeClock()
    runner = CheckRunner([Hanging()], clock, seconds=clock.monotonic)
    service = ServiceManager({**manager.environ, "WATCHDOG_USEC": "30000000"})
    job = asyncio.ensure_future(feed(service, runner.hanging, clock))
    await clock.advance(HANGING_REAL_S + 12)
    assert "STATUS=not fed: these checks hang: hanging" in manager.heard()
    job.cancel()


def agent_of(home, manager, **environ):
    """`cytowatch run` as a service manager starts it."""
    return agent(home, ready=False, env={**manager.environ, **environ})


@pytest.fixture
def real(tmp_path):
    made = Manager(str(tmp_path / "notify"))
    yield made
    made.link.close()


@pytest.fixture
def home(tmp_path):
    made = Paths(tmp_path / "home").ensure().home
    (made / "config.toml").write_text(QUIET)
    return made


async def test_a_real_agent_is_ready_feeds_and_stops_in_order(home, real):
    async with agent_of(home, real, WATCHDOG_USEC="600000") as running:
        assert await real.next("READY=1") == "READY=1\nSTATUS=monitoring; see cytowatch status"
        for _ in range(3):
            await real.next("WATCHDOG=1")
        running.terminate()
        assert (await real.next("STOPPING=1")).startswith("STOPPING=1\nSTATUS=stopped by SIGTERM")
        assert await running.wait() == 0


async def test_an_agent_that_is_stopped_feeds_no_more_until_it_goes_on(home, real):
    async with agent_of(home, real, WATCHDOG_USEC="600000") as running:
        await real.next("WATCHDOG=1")
        await suspend(running)
        real.heard()
        await asyncio.sleep(2)
        assert real.heard() == []
        running.send_signal(signal.SIGCONT)
        await real.next("WATCHDOG=1")


async def test_a_process_that_the_agent_does_not_feed_is_not_spoken_for(home, real):
    async with agent_of(home, real, WATCHDOG_USEC="600000", WATCHDOG_PID="1"):
        await real.next("READY=1")
        await asyncio.sleep(1)
        assert real.heard() == []
