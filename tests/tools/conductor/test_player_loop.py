"""The player's own event loop: an asynchronous test in simulated time, beside participants."""

import asyncio
import os
import time

import pytest

from tools.conductor.conductor import Conductor
from tools.conductor.errors import NotInTimeError
from tools.conductor.player_loop import played_by_loop, player_loop


def played(owner, scenario):
    """What an asynchronous player returns."""
    loop = player_loop(owner)
    try:
        return loop.run_until_complete(scenario)
    finally:
        loop.close()


def clocks():
    return asyncio.get_running_loop().time(), time.monotonic(), time.time()


async def an_hour():
    begun = clocks()
    await asyncio.sleep(3600)
    return [now - then for now, then in zip(clocks(), begun, strict=True)]


def test_an_hour_of_sleep_takes_an_hour_of_every_clock_and_none_of_real_time():
    real_s = time.monotonic()
    with Conductor() as owner, played_by_loop(owner):
        assert played(owner, an_hour()) == pytest.approx([3600] * 3, abs=1e-5)
        time.sleep(60)
        assert owner.now_s() == pytest.approx(3660, abs=1e-5)
    assert time.monotonic() - real_s < 60, "and the clocks are real again"


def test_random_numbers_come_from_the_seed_until_the_block_ends():
    def drawn(seed):
        with Conductor(seed) as owner, played_by_loop(owner):
            return os.urandom(8)

    assert drawn(1) == drawn(1) != drawn(2)
    assert os.urandom(8) != os.urandom(8)


async def talk(path):
    """Say something to a participant at 2 s; what it answers, and when the answer is there."""
    await asyncio.sleep(2)
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"hello\n")
    answer = await reader.read(100)
    writer.close()
    return answer, asyncio.get_running_loop().time()


def test_a_participant_answers_the_players_loop_in_the_same_moment(cast, tmp_path):
    with Conductor() as owner, played_by_loop(owner):
        cast.start(owner, "a", "echoes", tmp_path / "socket")
        answer, at_s = played(owner, talk(tmp_path / "socket"))
        assert answer == b"heard hello\n" and at_s == pytest.approx(10_002, abs=1e-5)


def test_who_waits_for_what_nobody_will_send_is_told(tmp_path):
    async def waits():
        await asyncio.get_running_loop().create_future()

    with Conductor() as owner, played_by_loop(owner), pytest.raises(NotInTimeError):
        played(owner, waits())


async def orders(count):
    """The order in which timers of one moment come."""
    came = []
    loop = asyncio.get_running_loop()
    for number in range(count):
        loop.call_at(20_000, came.append, number)
    await asyncio.sleep(20_001 - loop.time())
    return came


def test_the_seed_orders_what_is_simultaneous():
    def run(seed):
        with Conductor(seed) as owner, played_by_loop(owner):
            return played(owner, orders(8))

    assert run(1) == run(1)
    assert len({tuple(run(seed)) for seed in range(1, 5)}) > 1
