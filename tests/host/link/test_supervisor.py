"""The reconnect state machine, with a clock that only the test moves."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from host_agent.errors import DeviceAtRepl, PortBusy, PortMissing, SessionRefused, TransportLost
from host_agent.link.ownership import claim, find_owner
from host_agent.link.supervisor import BACKOFF_MAX_S, LinkState, LinkSupervisor
from tests.fakes.fake_clock import FakeClock
from tools.rig.protocol_wearable import DEVICE_ID, Pipe


class Bench:
    """A supervisor whose port and session do what the test says."""

    def __init__(self, **options: Any) -> None:
        self.clock = FakeClock()
        self.states: list[LinkState] = []
        self.reports: list[Any] = []
        self.open_error: Exception | None = None
        self.session: Callable[[Any, Any], Any] = self.hold
        self.pipes: list[Pipe] = []
        self.release_session = asyncio.Event()
        self.supervisor = LinkSupervisor(
            "/dev/ttyX", self.open, lambda pipe, opened: self.session(pipe, opened),
            on_report=self.note, clock=self.clock, **options,
        )  # fmt: skip
        self.task: asyncio.Task[None] | None = None

    def note(self, report: Any) -> None:
        self.reports.append(report)
        self.states.append(report.state)

    async def open(self) -> Pipe:
        if self.open_error is not None:
            raise self.open_error
        self.pipes.append(Pipe())
        return self.pipes[-1]

    async def hold(self, pipe: Pipe, opened: Any) -> None:
        opened(DEVICE_ID)
        await self.release_session.wait()
        raise TransportLost("pulled")

    async def advance(self, seconds: float) -> None:
        """Move the clock; the first call starts the supervisor."""
        if self.task is None:
            self.task = asyncio.create_task(self.supervisor.run())
        await self.clock.advance(seconds)

    async def stop(self) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.wait([self.task])


@pytest.fixture
async def bench() -> Any:
    made = Bench()
    yield made
    await made.stop()


async def test_the_way_to_an_open_session_is_visible(bench) -> None:
    await bench.advance(0)
    assert bench.states == [LinkState.OPENING, LinkState.HELLO_WAIT, LinkState.OPEN]
    assert bench.supervisor.report.device_id == DEVICE_ID


async def test_back_off_grows_from_a_fifth_of_a_second_to_five(bench) -> None:
    bench.open_error = PortMissing("no such port")
    await bench.advance(0)
    await bench.advance(60)
    waits = [s for s in bench.clock.slept if s > 0]
    assert waits[:5] == [0.2, 0.4, 0.8, 1.6, 3.2] and set(waits[5:]) == {BACKOFF_MAX_S}
    report = bench.supervisor.report
    assert report.state == LinkState.LOST and report.code == "port_missing" and report.advice
    assert report.attempt > 10


async def test_a_steady_session_starts_the_back_off_anew(bench) -> None:
    await bench.advance(0)
    await bench.advance(30)
    bench.release_session.set()
    await bench.advance(0)
    assert bench.supervisor.report.state == LinkState.LOST and bench.clock.slept[-1] == 0.2


async def test_sessions_that_fail_at_once_back_off(bench) -> None:
    bench.release_session.set()
    await bench.advance(0)
    await bench.advance(3)
    assert bench.clock.slept[:4] == [0.2, 0.4, 0.8, 1.6]


async def test_a_link_that_may_break_often_is_tried_again_soon_once_it_was_in_session(bench) -> None:
    bench.supervisor._opened_max_s = 0.4
    bench.release_session.set()
    await bench.advance(0)
    await bench.advance(3)
    assert bench.clock.slept[:4] == [0.2, 0.4, 0.4, 0.4]


async def test_a_refusal_is_its_own_state_and_retried_slowly(bench) -> None:
    async def refuse(pipe: Any, opened: Any) -> None:
        raise SessionRefused("the key is revoked", 2)

    bench.session = refuse
    await bench.advance(0)
    assert bench.supervisor.report.state == LinkState.REFUSED and "revoked" in bench.supervisor.report.reason
    assert bench.clock.slept[-1] == BACKOFF_MAX_S


async def test_a_prompt_is_its_own_state_and_the_port_is_let_go(bench) -> None:
    async def prompt(pipe: Any, opened: Any) -> None:
        raise DeviceAtRepl("prompt seen")

    bench.session = prompt
    await bench.advance(0)
    assert bench.supervisor.report.state == LinkState.AT_REPL
    assert bench.pipes[-1].is_lost  # closed: a person may use the prompt


async def test_an_error_nobody_expected_is_told_and_tried_again(bench) -> None:
    async def broken(pipe: Any, opened: Any) -> None:
        raise ZeroDivisionError("a bug")

    bench.session = broken
    await bench.advance(0)
    assert "ZeroDivisionError" in bench.supervisor.report.reason
    bench.session = bench.hold
    await bench.advance(1)
    assert bench.supervisor.report.state == LinkState.OPEN


async def test_release_closes_the_port_and_takes_it_back_in_time(bench) -> None:
    await bench.advance(0)
    await bench.supervisor.release(300)
    await bench.advance(0)
    assert bench.pipes[0].is_lost and bench.supervisor.report.state == LinkState.RELEASED
    assert bench.supervisor.report.until_utc_ms == bench.clock.utc_ms() + 300_000
    await bench.advance(299)
    assert len(bench.pipes) == 1
    await bench.advance(2)
    assert bench.supervisor.report.state == LinkState.OPEN and len(bench.pipes) == 2


async def test_a_release_ends_early_by_retake(bench) -> None:
    await bench.advance(0)
    await bench.supervisor.release(300)
    await bench.advance(5)
    bench.supervisor.retake()
    await bench.advance(0)
    assert bench.supervisor.report.state == LinkState.OPEN


async def test_release_works_while_waiting_to_retry(bench) -> None:
    bench.open_error = PortBusy("in use")
    await bench.advance(0)
    await bench.advance(20)
    await bench.supervisor.release(60)
    await bench.advance(0)
    assert bench.supervisor.report.state == LinkState.RELEASED
    bench.open_error = None
    await bench.advance(61)
    assert bench.supervisor.report.state == LinkState.OPEN


async def test_a_release_is_never_longer_than_an_hour(bench) -> None:
    await bench.advance(0)
    await bench.supervisor.release(1e9)
    await bench.advance(0)
    assert bench.supervisor.report.until_utc_ms == bench.clock.utc_ms() + 3_600_000


async def test_the_claim_lives_as_long_as_the_supervisor_and_tells_of_a_release(tmp_path) -> None:
    bench = Bench(make_claim=lambda: claim("/dev/ttyX", "/home/ward", 1, tmp_path))
    await bench.advance(0)
    owner = find_owner("/dev/ttyX", tmp_path)
    assert owner is not None and owner.released_until_utc_ms is None
    await bench.supervisor.release(60)
    await bench.advance(0)
    lent = find_owner("/dev/ttyX", tmp_path)
    assert lent is not None and lent.released_until_utc_ms == bench.clock.utc_ms() + 60_000
    await bench.stop()
    assert find_owner("/dev/ttyX", tmp_path) is None


async def test_a_port_that_is_gone_is_claimed_no_more_because_the_system_gives_its_name_away(
    tmp_path,
) -> None:
    bench = Bench(make_claim=lambda: claim("/dev/ttyX", "/home/ward", 1, tmp_path))
    await bench.advance(0)
    bench.open_error = TransportLost("no such port")
    bench.release_session.set()
    await bench.advance(1)
    other = claim("/dev/ttyX", "/home/night", 1, tmp_path)
    bench.open_error = None
    await bench.advance(60)
    assert bench.supervisor.report.code == "port_busy"
    other.drop()
    await bench.advance(60)
    assert find_owner("/dev/ttyX", tmp_path) is not None
    await bench.stop()


async def test_a_port_of_another_agent_is_busy_and_its_owner_named(tmp_path) -> None:
    held = claim("/dev/ttyX", "/home/night", 1, tmp_path)
    bench = Bench(make_claim=lambda: claim("/dev/ttyX", "/home/ward", 1, tmp_path))
    await bench.advance(0)
    assert bench.supervisor.report.code == "port_busy"
    assert f"process id {held.owner.pid}" in bench.supervisor.report.reason
    held.drop()
    await bench.advance(1)
    assert bench.supervisor.report.state == LinkState.OPEN
    await bench.stop()


async def test_cancelling_ends_the_session_and_closes_the_port(bench) -> None:
    await bench.advance(0)
    await bench.stop()
    assert bench.pipes[0].is_lost and bench.states[-1] == LinkState.STOPPED
