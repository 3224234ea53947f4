"""Entries on their way to the wearable: kept over every failure, in order, with their age."""

import asyncio
import contextlib
import json

import pytest
from crs_core import context
from crs_core.wire import message as wire
from crs_core.wire import rights

from host_agent.agent_run import NO_AGES, AgentRun
from host_agent.errors import AnswerTimeout, RequestRefused, SessionClosed, StoreLocked
from host_agent.keys.keyfile import DeviceKey
from host_agent.paths import Paths
from host_agent.people import rule_sending
from host_agent.people.sender import RETRY_S, ContextSender, Session
from host_agent.state_lock import AGENT_NOTE, read_note
from host_agent.store.db import Store
from host_agent.sync.timebase import stored_time
from tests.fakes.fake_clock import FakeClock
from tests.host.people.people_world import NOW_MS


class Wearable:
    """Takes entries as the client of a session does; `fails` are raised first, one a try."""

    def __init__(self, *fails, role=rights.CUSTODIAN):
        self.fails = list(fails)
        self.key = DeviceKey(bytes(8), 1, bytes(32), role, "ward")
        self.got = []

    async def send_context(self, data):
        if self.fails and (error := self.fails.pop(0)) is not None:
            raise error
        self.got.append(context.decode(data))


@pytest.fixture
async def run(world):
    """run(wearable or None) starts a sender over the world's store."""
    clock, tasks, sessions = FakeClock(NOW_MS + 60_000), [], []

    def start(wearable=None, store=None, **before):
        if wearable is not None:
            sessions.append(Session(1, wearable))
        sender = ContextSender(
            store or world.store, lambda: list(sessions), clock, clock, stored_time, **before
        )
        tasks.append(asyncio.create_task(sender.run()))
        return sender

    start.clock, start.sessions = clock, sessions
    yield start
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(check):
    async with asyncio.timeout(30):
        while not check():
            await asyncio.sleep(0.005)


async def rests(run, turns):
    """The sender has had so many turns, and waits for the next."""
    await until(lambda: len(run.clock.slept) > turns)


@pytest.mark.parametrize(
    ("ago_s", "runs_s", "set_s"),
    [(0, 1800, -1859), (0, 1800, -1915), (600, 1800, -2400), (30, 10, -100), (0, 1800, 0), (0, 1800, 3600)],
)  # fmt: skip
async def test_a_clock_that_was_set_back_makes_an_entry_no_younger_at_its_first_send(
    world, run, ago_s, runs_s, set_s
):
    world.enter(world.nurse, ago_ms=ago_s * 1000, oxygen="cpap")
    sender, wearable = run(), Wearable()
    sender.wake()
    await until(lambda: sender._first_seen)
    await run.clock.advance(runs_s)
    run.clock.set(set_s * 1000)
    run.sessions.append(Session(1, wearable))
    sender.wake()
    await until(lambda: wearable.got)
    assert wearable.got[0][0] == (59 + ago_s + runs_s + max(0, set_s)) * 1000


@pytest.fixture
def paths(tmp_path):
    return Paths(tmp_path / "laptop").ensure()


async def a_run(world, run, paths, seconds, first=False):
    """An agent that runs so long with no wearable in session, and is killed."""
    note = AgentRun(paths, run.clock)
    sender = run(before=note.ages_before)
    note.waiting_ages = sender.waiting_ages
    sender.wake()
    await until(lambda: sender._first_seen)
    await run.clock.advance(seconds)
    alive = asyncio.create_task(note.keep_alive())
    await until(lambda: read_note(paths.home / AGENT_NOTE)["counted"]["ages_ms"])
    alive.cancel()
    note._lock.release()


@pytest.mark.parametrize(
    ("ago_s", "runs_s", "off_s", "set_s"),
    [(0, 1800, 10, -1859), (0, 1800, 3600, -5400), (600, 1800, 0, -2400), (30, 10, 60, -100), (0, 60, 60, 0),
     (0, 60, 600, 3600), (0, 1800, 7200, -9000)],
)  # fmt: skip
async def test_a_clock_set_back_while_no_agent_runs_makes_an_entry_no_younger(
    world, run, paths, ago_s, runs_s, off_s, set_s
):
    world.enter(world.nurse, ago_ms=ago_s * 1000, oxygen="cpap")
    await a_run(world, run, paths, runs_s)
    run.clock._now_s += off_s
    run.clock.set(set_s * 1000)
    await a_run(world, run, paths, runs_s)  # over two restarts
    note, wearable = AgentRun(paths, run.clock), Wearable()
    run.sessions.append(Session(1, wearable))
    run(before=note.ages_before).wake()
    await until(lambda: wearable.got)
    true_s = 59 + ago_s + 2 * runs_s + off_s
    assert wearable.got[0][0] == (true_s + max(0, set_s)) * 1000
    note.end()


async def test_an_entry_that_nobody_can_date_is_refused_and_a_new_one_goes(world, run, paths, monkeypatch):
    world.enter(world.nurse, oxygen="cpap")
    await a_run(world, run, paths, 1800)
    monkeypatch.setattr("host_agent.agent_run.system_start", lambda: "another start of this computer")
    run.clock.set(-1000_000)  # its battery is empty: the clock stands where it stood long ago
    note, wearable = AgentRun(paths, run.clock), Wearable()
    run.sessions.append(Session(1, wearable))
    sender = run(before=note.ages_before)
    sender.wake()
    await until(lambda: rows(world)[0][0] == "refused")
    assert "Enter it again" in rows(world)[0][2] and wearable.got == []
    world.enter(world.nurse, oxygen="face_mask")
    sender.wake()
    await until(lambda: wearable.got)
    note.end()


@pytest.mark.parametrize("is_back", [False, True])
async def test_after_a_restart_of_the_computer_a_clock_that_went_on_is_believed(
    world, run, paths, monkeypatch, is_back
):
    world.enter(world.nurse, oxygen="cpap")
    await a_run(world, run, paths, 600)
    monkeypatch.setattr("host_agent.agent_run.system_start", lambda: "another start of this computer")
    run.clock.set(-1 if is_back else 60_000)
    note = AgentRun(paths, run.clock)
    assert note.ages_before.is_known is not is_back
    note.end()


@pytest.mark.parametrize("counted", [{}, None, "x", {"ages_ms": 7, "alive_utc_ms": 1, "system": ""},
                                     {"ages_ms": {"a": 1}, "alive_utc_ms": "x", "system": ""}])  # fmt: skip
async def test_a_note_of_an_earlier_version_or_a_damaged_one_tells_no_ages(paths, run, counted):
    AgentRun(paths, run.clock).end()
    file = paths.home / AGENT_NOTE
    file.write_text(json.dumps({**read_note(file), "counted": counted}))
    note = AgentRun(paths, run.clock)
    assert note.ages_before == NO_AGES
    note.end()


def rows(world):
    return world.query("SELECT state, attempts, last_error FROM context_outgoing ORDER BY audit")


async def test_an_entry_is_sent_once_with_its_age_at_sending(world, run):
    world.enter(world.nurse, ice=8)
    wearable = Wearable()
    sender = run(wearable)
    sender.wake()
    await rests(run, 1)
    assert [(age, numbers) for age, _, numbers in wearable.got] == [(59_000, {context.ICE: 8})]
    sender.wake()
    await rests(run, 2)
    assert len(wearable.got) == 1 and rows(world) == [("journaled", 1, "")]


async def test_without_a_wearable_it_waits_also_over_a_restart(world, run):
    world.enter(world.nurse, ice=8)
    run().wake()
    await rests(run, 1)
    assert rows(world) == [("waiting", 0, "")]
    world.store.close()
    with Store(world.store.path) as again:
        world.store = again
        wearable = Wearable()
        run(wearable, again).wake()
        await until(lambda: rows(world)[0][0] == "journaled")
        assert len(wearable.got) == 1


@pytest.mark.parametrize(
    "error", [AnswerTimeout("late"), SessionClosed("bye"), RequestRefused("busy", wire.RESULT_BUSY),
              RequestRefused("flash", wire.RESULT_FAILED), RequestRefused("reader", wire.RESULT_FORBIDDEN)]
)  # fmt: skip
async def test_what_got_no_answer_is_sent_again_under_the_same_proof_and_in_order(world, run, error):
    world.enter(world.nurse, ice=8)
    world.enter(world.nurse, ice=3)
    wearable = Wearable(error)
    run(wearable).wake()
    await until(lambda: rows(world)[0][1] == 1)
    assert wearable.got == [] and rows(world)[1] == ("waiting", 0, ""), "the later one does not overtake"
    assert rows(world)[0] == ("waiting", 1, str(error))
    await rests(run, 1)
    assert wearable.got == [], "a wearable that did not answer is left alone for a while"
    await run.clock.advance(RETRY_S)
    await until(lambda: [row[0] for row in rows(world)] == ["journaled"] * 2)
    assert [numbers for _, _, numbers in wearable.got] == [{context.ICE: 8}, {context.ICE: 3}]
    assert rows(world)[0][1] == 2 and set(run.clock.slept) == {RETRY_S}


async def test_a_lost_answer_means_the_same_proof_twice_which_is_harmless(world, run):
    world.enter(world.nurse, ice=8)

    class Forgetful(Wearable):
        async def send_context(self, data):
            self.got.append(context.decode(data))
            if len(self.got) == 1:
                raise AnswerTimeout("lost on the way back")

    wearable = Forgetful()
    run(wearable).wake()
    await until(lambda: rows(world)[0][1] == 1)
    await rests(run, 1)
    await run.clock.advance(RETRY_S)
    await until(lambda: rows(world)[0][0] == "journaled")
    (first, again) = wearable.got
    assert first[1] == again[1] and first[2] == again[2] and again[0] == first[0] + 1000 * RETRY_S


async def test_what_the_wearable_refuses_for_good_is_marked_and_the_next_one_goes(world, run):
    world.enter(world.nurse, ice=8)
    world.enter(world.nurse, hr_bpm=100)
    wearable = Wearable(RequestRefused("key 12 is unknown", wire.RESULT_BAD_VALUE))
    run(wearable).wake()
    await until(lambda: rows(world)[1][0] == "journaled")
    assert rows(world)[0] == ("refused", 1, "key 12 is unknown")


async def test_refused_numbers_are_known_until_they_are_taken(world, run, monkeypatch):
    answers = [
        RequestRefused("rules: fever_cc", wire.RESULT_BAD_VALUE),
        RequestRefused("flash", wire.RESULT_FAILED),
    ]

    async def bring(client, numbers):
        if answers:
            raise answers.pop(0)
        return True

    monkeypatch.setattr(rule_sending, "bring", bring)
    sender = run(Wearable())
    assert sender.refused_numbers == {}, "nothing is known before the first session"
    tries = [(1, "rules: fever_cc"), (0, "rules: fever_cc"), (0, "")]
    for turn, (left, known) in enumerate(tries, 1):
        # a new session is a new try; what flash refuses says nothing about the numbers
        run.sessions[:] = [Session(1, Wearable())]
        sender.wake()
        await rests(run, turn)
        assert len(answers) == left and sender.refused_numbers == {1: known}


async def test_only_the_wearable_of_that_binding_gets_it(world, run):
    world.sign(world.nurse, "context", {"ice": 8}, patient="P-2")
    wearable = Wearable()
    run(wearable).wake()
    await rests(run, 1)
    assert wearable.got == [] and rows(world) == [("waiting", 0, "")]


async def test_what_waits_when_its_binding_ends_is_left(world, run):
    world.enter(world.nurse, ice=8)
    world.store.write_now(lambda tx: tx.execute("UPDATE bindings SET state = 'ended' WHERE id = 1"))
    run().wake()
    await until(lambda: rows(world)[0][0] == "left")
    assert rows(world) == [("left", 0, "the binding ended first")]


@pytest.mark.parametrize("numbers", ['{"12": 70000}', '{"99": 1}', "[]", '{"12": "x"}', "{"])
async def test_a_damaged_row_is_refused_with_its_reason_and_stops_nothing_else(world, run, numbers):
    world.enter(world.nurse, ice=8)
    world.store.write_now(lambda tx: tx.execute("UPDATE context_outgoing SET numbers = ?", (numbers,)))
    world.enter(world.nurse, ice=3)
    wearable = Wearable()
    run(wearable).wake()
    await until(lambda: rows(world)[1][0] == "journaled")
    assert rows(world)[0][0] == "refused" and "it cannot be sent: " in rows(world)[0][2]


async def test_a_fault_at_one_wearable_stops_the_entries_to_no_other(world, run):
    world.enter(world.nurse, ice=8)
    broken, wearable = Wearable(), Wearable()
    broken.key = object()
    run.sessions.append(Session(2, broken))
    run(wearable).wake()
    await until(lambda: rows(world)[0][0] == "journaled")


async def test_a_store_that_fails_for_a_while_does_not_end_the_job(world, run, monkeypatch):
    world.enter(world.nurse, ice=8)
    real, failures = world.store.read, [StoreLocked("locked")]

    async def read(fn):
        if failures:
            raise failures.pop()
        return await real(fn)

    monkeypatch.setattr(world.store, "read", read)
    wearable = Wearable()
    run(wearable).wake()
    await until(lambda: not failures)
    await rests(run, 1)
    await run.clock.advance(RETRY_S)
    await until(lambda: rows(world)[0][0] == "journaled")


@pytest.mark.parametrize("role", [rights.READER, rights.OTHER + rights.READ + rights.ACCEPT])
async def test_a_laptop_without_the_right_brings_nothing_and_says_so_once(world, run, role):
    world.enter(world.nurse, ice=8)
    wearable = Wearable(role=role)
    sender = run(wearable)
    sender.wake()
    for turn in (1, 2, 3):
        await rests(run, turn)
        await run.clock.advance(RETRY_S)
    await rests(run, 4)
    assert (
        rows(world) == [("waiting", 1, "this laptop's key may not bring entries to it")]
        and wearable.got == []
    )
