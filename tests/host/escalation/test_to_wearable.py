"""What a wearable is told of an acceptance: at once, when it returns, never twice, and never for what is over."""

import asyncio

import pytest
from crs_core import codes
from crs_core.wire import message as wire

from host_agent.errors import RequestRefused, TransportLost
from host_agent.escalation.acceptance.to_wearable import RETRY_S, AcceptanceSender
from host_agent.store import acceptances as store
from tests.fakes.fake_clock import FakeClock
from tests.host.escalation.acceptance_world import SOON_T_MS, raised, reply, tokens
from tests.host.escalation.world import NOW_MS, World, alarm_record
from tools.rig.protocol_wearable import CUSTODIAN, READER, host_key


class Wearable:
    """A client in session: `answers` are raised one after the other, then everything is done."""

    def __init__(self, *answers, key=CUSTODIAN):
        self.key = host_key(key)
        self.answers = list(answers)
        self.told = []

    async def command(self, message):
        self.told.append(message)
        if self.answers:
            raise self.answers.pop(0)


def refused(code):
    return RequestRefused("no", code)


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    raised(made)
    yield made
    made.store.close()


async def turns(world, wearable, *, number=1, caught_up=True, away=False, clock=None):
    """So many turns of the job, with this wearable in session."""
    clock = clock or FakeClock(utc_ms=NOW_MS)
    binding = 1
    sender = AcceptanceSender(
        world.store, lambda: [] if away else [(binding, wearable, 1, caught_up)], clock, clock
    )
    job = asyncio.create_task(sender.run())
    for _ in range(number):
        await clock.advance(RETRY_S)
        for _ in range(50):
            await asyncio.sleep(0.002)
    job.cancel()


def state(world):
    return world.query("SELECT wearable, wearable_error FROM acceptances")[0]


async def test_it_is_told_once_with_the_name_cut_between_two_letters(world):
    wearable = Wearable()
    reply(world, tokens(world)[0], "ä" * 40)
    await turns(world, wearable, number=3)
    assert wearable.told == [wire.AlarmAccept(codes.HYPOXAEMIA, 3, "ä" * 16)] and state(world) == ("sent", "")


@pytest.mark.parametrize(
    "answer",
    [refused(wire.RESULT_BUSY), refused(wire.RESULT_FAILED), TransportLost("gone")],
    ids=["busy", "flash", "link lost"],
)
async def test_it_is_tried_again_while_it_may_still_work(world, answer):
    wearable = Wearable(answer)
    reply(world, tokens(world)[0])
    await turns(world, wearable)
    assert state(world)[0] == "waiting" and state(world)[1] != ""
    await turns(world, wearable)
    assert len(wearable.told) == 2 and state(world) == ("sent", "")


@pytest.mark.parametrize("code", [wire.RESULT_BAD_VALUE, wire.RESULT_FORBIDDEN, wire.RESULT_UNKNOWN_REQUEST])
async def test_what_the_wearable_refuses_is_kept_with_its_reason(world, code):
    wearable = Wearable(refused(code))
    reply(world, tokens(world)[0])
    await turns(world, wearable, number=2)
    assert state(world) == ("refused", "no") and len(wearable.told) == 1
    assert world.query("SELECT state FROM episodes") == [("accepted",)], "a person came all the same"


async def test_a_key_that_may_not_accept_says_so_and_sends_nothing(world):
    wearable = Wearable(key=READER)
    reply(world, tokens(world)[0])
    await turns(world, wearable)
    assert state(world) == ("refused", "this laptop's key may not accept its alarms") and wearable.told == []


async def test_a_wearable_that_is_away_or_not_read_yet_is_told_later(world):
    wearable = Wearable()
    reply(world, tokens(world)[0])
    await turns(world, wearable, away=True)
    await turns(world, wearable, caught_up=False)
    assert wearable.told == [] and state(world) == ("waiting", "")
    await turns(world, wearable)
    assert len(wearable.told) == 1


async def test_nothing_is_told_of_an_alarm_that_began_anew_meanwhile(world):
    wearable = Wearable()
    reply(world, tokens(world)[0])
    world.commit(alarm_record({"HYPOXAEMIA": 3}, HYPOXAEMIA=0), t_ms=SOON_T_MS)
    world.commit(alarm_record({}, HYPOXAEMIA=3), t_ms=SOON_T_MS + 1000)
    await turns(world, wearable)
    assert wearable.told == []


@pytest.mark.parametrize("after_ms", [600_000, -3_600_000], ids=["lapsed", "clock set back"])
async def test_nothing_is_told_that_counts_no_longer(world, after_ms):
    wearable = Wearable()
    reply(world, tokens(world)[0])
    await turns(world, wearable, clock=FakeClock(utc_ms=NOW_MS + after_ms))
    assert wearable.told == []


async def test_whoever_came_second_is_not_told_to_the_wearable(world):
    wearable = Wearable()
    reply(world, tokens(world)[0])
    reply(world, tokens(world, "ward")[0], "Jo")
    await turns(world, wearable, number=2)
    assert [one.who for one in wearable.told] == ["Maria"]
    assert [one.wearable for one in world.store.read_now(lambda tx: store.acceptances_of(tx, 1))] == [
        "sent",
        "",
    ]
