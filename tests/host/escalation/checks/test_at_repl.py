"""A board at its prompt over a real store: HIGH until a session opens, whatever the store did meanwhile."""

import pytest
from crs_core.codes import DEVICE_AT_REPL

from host_agent.errors import StoreFull
from host_agent.escalation.checks.at_repl import AtReplCheck
from host_agent.escalation.checks.check import CheckParts
from host_agent.link.supervisor import LinkReport, LinkState
from tests.fakes.fake_clock import FakeClock
from tests.host.escalation.world import DEVICE_ID, NOW_MS, World


class Bench:
    """`report` is the newest one of each port; `keys` are enrolled."""

    def __init__(self, folder, keys=(DEVICE_ID,)):
        self.world = World(folder)
        self.clock = FakeClock(utc_ms=NOW_MS)
        self._reports = {}
        self.check = AtReplCheck(
            CheckParts(self.world.store, self.world.escalation, self.clock),
            reports=self._reports.values, keys=lambda: dict.fromkeys(keys),
        )  # fmt: skip

    async def sees(self, state, port="/dev/ttyX", device_id=None):
        await self.clock.advance(1)
        since_ms = self.clock.utc_ms()
        self._reports[port] = LinkReport(port, state, "", "", "", since_ms, device_id, 0, None)
        await self.check.look()
        return self.open()

    def open(self):
        return self.world.query(
            "SELECT h.alarm, d.device_id, h.priority, h.detail FROM host_alarms h"
            " LEFT JOIN devices d ON d.id = h.device WHERE h.ended_utc_ms IS NULL"
        )


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.world.store.close()


def standing(device_id=DEVICE_ID, port="/dev/ttyX"):
    return [(DEVICE_AT_REPL, device_id, 3, f"on {port}")]


async def test_it_stands_until_a_session_opens_and_is_sent_once(bench):
    assert await bench.sees(LinkState.LOST) == [] and await bench.sees(LinkState.AT_REPL) == standing()
    assert await bench.sees(LinkState.OPENING) == standing(), "another try is no session"
    assert await bench.sees(LinkState.AT_REPL) == standing()
    assert bench.world.told() == [("DEVICE_AT_REPL", "HIGH")]
    assert await bench.sees(LinkState.OPEN, device_id=DEVICE_ID) == []


@pytest.mark.parametrize("keys", [(), (DEVICE_ID, b"OTHERDEV")])
async def test_without_a_single_key_it_is_about_no_wearable_and_ends_all_the_same(tmp_path, keys):
    bench = Bench(tmp_path, keys)
    assert await bench.sees(LinkState.AT_REPL) == standing(None)
    assert await bench.sees(LinkState.OPEN, device_id=DEVICE_ID) == []
    bench.world.store.close()


async def test_a_later_prompt_on_another_port_stands_although_a_session_goes_on(bench):
    await bench.sees(LinkState.OPEN, device_id=DEVICE_ID)
    assert await bench.sees(LinkState.AT_REPL, "/dev/ttyY") == standing(port="/dev/ttyY")
    await bench.check.look()
    assert bench.open() == standing(port="/dev/ttyY")


async def test_what_the_store_did_not_take_is_stored_at_a_later_look(bench, monkeypatch):
    async def full(fn):
        raise StoreFull("full")

    with monkeypatch.context() as failing:
        failing.setattr(bench.world.store, "write", full)
        assert await bench.sees(LinkState.AT_REPL) == []
    await bench.check.look()
    assert bench.open() == standing()
