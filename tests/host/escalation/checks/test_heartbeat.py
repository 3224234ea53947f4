"""The heartbeat to a watcher outside: only while the agent truly watches, over a real store and real HTTP."""

import contextlib

import pytest
from crs_core import codes

from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts, Finding
from host_agent.escalation.checks.heartbeat import HeartbeatCheck
from host_agent.escalation.checks.runner import CheckRunner
from host_agent.escalation.checks.silence_rules import Limits
from host_agent.escalation.checks.standing import make_stand
from host_agent.forward.heartbeat import HeartbeatSection
from host_agent.sync.live import Heard
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_http import FakeReceiver, Reply
from tests.host.escalation.world import DEVICE_ID, NOW_MS, World

LIMITS = Limits(120, 180, 60, 900, 1800)
OPEN = f"SELECT priority, detail FROM host_alarms WHERE alarm = {codes.HEARTBEAT_UNHEARD} AND ended_utc_ms IS NULL"


class Bench(World):
    """One bound wearable, a watcher, and a check that looks as often as the clock says; `asked` are the addresses."""

    def __init__(self, folder, outside, **keys):
        super().__init__(folder, **({"bound": keys.pop("bound")} if "bound" in keys else {}))
        self.outside = outside
        self.clock = FakeClock(NOW_MS)
        self.last = {DEVICE_ID: Heard(0.0, True, 0.0)}
        self.from_memory = []
        parts = CheckParts(
            self.store,
            self.escalation,
            self.clock,
            lambda device_id, finding: self.from_memory.append(finding),
        )
        section = HeartbeatSection(url=outside.url, **keys)
        self.watcher = section.forwarder(self.clock.utc_ms)
        self.check = HeartbeatCheck(
            parts, self.watcher, LIMITS, every_s=section.every_s, rings=bool(section.fail_suffix),
            heard=lambda: self.last,
        )  # fmt: skip

    @property
    def asked(self):
        return [(one.method, one.path) for one in self.outside.received]

    async def go_on(self, seconds, *, is_heard=True):
        """So long, with a look each period; the wearable is heard all the time, or stays silent."""
        for _ in range(round(seconds / self.check.every_s)):
            await self.clock.advance(self.check.every_s)
            if is_heard:
                self.last = {DEVICE_ID: Heard(self.clock.monotonic(), True, self.clock.monotonic())}
            await self.check.look()

    def stand(self, alarm, is_there=True, priority=3):
        """An alarm of the host about the wearable stands, or no more."""
        found = {self.journal.device: Finding(alarm, priority, "")} if is_there else {}
        self.store.write_now(lambda tx: make_stand(tx, self.escalation, alarm, found, NOW_MS))


@pytest.fixture
async def make(tmp_path):
    async with contextlib.AsyncExitStack() as stack:

        async def made(reply=None, **keys):
            outside = await stack.enter_async_context(FakeReceiver(reply))
            bench = Bench(tmp_path, outside, **keys)
            stack.callback(bench.store.close)
            stack.push_async_callback(bench.watcher.close)
            return bench

        yield made


async def test_a_sign_of_life_each_period_while_the_wearable_is_heard(make):
    bench = await make()
    await bench.go_on(600)
    assert bench.asked == [("GET", "/hook")] * 10
    assert bench.check.values() == {"heard_age_s": 0.0, "why_not": "", "error": "", "failures": 0}
    assert bench.query("SELECT value FROM counters WHERE name = 'heartbeat_sent'") == [(10,)]
    assert not any("P-1" in str(one) for one in bench.outside.received)


async def test_a_wearable_that_is_silent_without_an_alarm_stops_it_and_its_alarm_starts_it_again(make):
    bench = await make()
    await bench.go_on(240, is_heard=False)
    assert len(bench.asked) == 4
    await bench.go_on(120, is_heard=False)
    assert len(bench.asked) == 4 and "no alarm says so" in bench.check.state.why_not
    bench.stand(codes.STALE_DATA)
    await bench.go_on(60, is_heard=False)
    assert len(bench.asked) == 5 and bench.check.state.why_not == ""


async def test_an_alarm_that_reached_nobody_stops_it(make):
    bench = await make()
    bench.stand(codes.NOBODY_REACHED)
    await bench.go_on(120)
    assert bench.asked == [] and bench.check.state.why_not == "an alarm has reached nobody"
    bench.stand(codes.NOBODY_REACHED, False)
    await bench.go_on(60)
    assert len(bench.asked) == 1


async def test_that_the_alarm_about_the_watcher_itself_reached_nobody_does_not_keep_it_unheard(make):
    bench = await make()
    bench.stand(codes.NOBODY_REACHED, priority=1)
    await bench.go_on(60)
    assert len(bench.asked) == 1


async def test_a_bound_wearable_without_a_key_here_stops_it_and_no_patient_at_all_does_not(make):
    bench = await make()
    bench.last = {}
    await bench.go_on(60, is_heard=False)
    assert bench.asked == [] and "key" in bench.check.state.why_not


async def test_without_a_patient_it_watches_too(make):
    bench = await make(bound=False)
    await bench.go_on(6000, is_heard=False)
    assert len(bench.asked) == 100


async def test_a_store_that_takes_nothing_stops_it(make, monkeypatch):
    bench = await make()

    async def fails(fn):
        raise StoreError("the disk is full")

    monkeypatch.setattr(bench.store, "write", fails)
    await bench.go_on(120)
    assert bench.asked == [] and "the disk is full" in bench.check.state.why_not


async def test_a_check_that_hangs_or_only_fails_stops_it(make):
    bench = await make()

    class Broken:
        name, every_s, least_real_s = "broken", 1.0, 1.0

        async def look(self):
            raise ValueError

    runner = CheckRunner([Broken(), bench.check], bench.clock)
    bench.check.stuck = runner.stuck
    await bench.go_on(60)
    assert bench.asked == [] and bench.check.state.why_not == "checks do not run: broken"


@pytest.mark.parametrize("reply", [
    Reply(status=500), Reply(status=301, headers={"Location": "https://elsewhere.example.org/"}), Reply(cut=True),
    Reply(garbage=b"\x00\r\n\r\n"), Reply(body=b"OK (not found)"), Reply(body=b"OK (rate limited)"),
    Reply(body=b'{"ok":false,"msg":"Monitor not found"}'), Reply(status=404), Reply(hang=True),
])  # fmt: skip
async def test_a_watcher_that_does_not_take_it_is_shown_at_once_and_after_five_minutes_an_alarm(make, reply):
    bench = await make(reply, timeout_s=0.1)
    await bench.go_on(240)
    state = bench.check.values()
    assert state["heard_age_s"] is None and state["failures"] == 4 and state["error"]
    assert bench.query(OPEN) == []
    await bench.go_on(120)
    ((priority, detail),) = bench.query(OPEN)
    assert priority == codes.PRIORITY_LOW and "watcher outside has not been reached" in detail
    assert bench.query("SELECT value FROM counters WHERE name = 'heartbeat_failed'") == [(6,)]
    bench.outside.default = Reply()
    await bench.go_on(60)
    assert bench.query(OPEN) == [] and bench.check.values()["failures"] == 0


async def test_a_watcher_that_is_away_is_an_alarm_after_three_long_periods_and_from_memory_too(
    make, monkeypatch
):
    bench = await make(every_s=600)
    await bench.outside.stop()
    await bench.go_on(1200)
    assert bench.query(OPEN) == []
    await bench.go_on(600)
    assert len(bench.query(OPEN)) == 1


async def test_what_was_held_back_on_purpose_is_no_failure_of_the_watcher(make):
    bench = await make()
    bench.stand(codes.NOBODY_REACHED)
    await bench.go_on(6000)
    await bench.outside.stop()
    bench.stand(codes.NOBODY_REACHED, False)
    await bench.go_on(240)
    assert bench.query(OPEN) == []


async def test_an_address_that_rings_is_asked_while_it_does_not_watch_and_at_the_end_with_a_patient(make):
    bench = await make(fail_suffix="/fail", method="POST")
    bench.stand(codes.NOBODY_REACHED)
    await bench.go_on(120)
    bench.stand(codes.NOBODY_REACHED, False)
    await bench.go_on(60)
    await bench.check.stop("stopped by SIGTERM")
    assert bench.asked == [("POST", "/hook/fail")] * 2 + [("POST", "/hook"), ("POST", "/hook/fail")]
    said = [one.body.decode() for one in bench.outside.received]
    assert said[0] == "an alarm has reached nobody" and said[3].endswith("stopped by SIGTERM")


@pytest.mark.parametrize("keys", [{"bound": False, "fail_suffix": "/fail"}, {}])
async def test_without_a_patient_or_such_an_address_the_end_says_nothing(make, keys):
    bench = await make(**keys)
    await bench.check.stop("stopped by SIGTERM")
    assert bench.asked == []
