"""Looking up names: those that nobody answers for keep no other name and no other work waiting."""

import asyncio
import socket
import threading

import pytest

from host_agent.name_lookup import use_own_threads
from tests.host.agent_world import make_world

ADDRESS = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]


@pytest.fixture
def names(monkeypatch):
    """What is looked up; a name that begins with "dead" has no answer until the test is over."""
    asked, over = [], threading.Event()

    def getaddrinfo(host, *_):
        asked.append(host)
        if host.startswith("dead"):
            over.wait()
        if host.startswith("wrong"):
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return ADDRESS

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield asked
    over.set()


@pytest.fixture
async def loop():
    running = asyncio.get_running_loop()
    before = running.getaddrinfo
    use_own_threads(running)
    yield running
    running.getaddrinfo = before


async def test_a_hundred_attempts_at_dead_names_delay_no_other_name_and_no_thread(names, loop):
    dead = [asyncio.create_task(loop.getaddrinfo(f"dead{number % 20}", 443)) for number in range(100)]
    async with asyncio.timeout(20):
        assert await loop.getaddrinfo("alive", 80) == ADDRESS
        assert await asyncio.to_thread(lambda: "a port is open") == "a port is open"
    for task in dead:
        task.cancel()
    await asyncio.gather(*dead, return_exceptions=True)
    again = asyncio.create_task(loop.getaddrinfo("dead1", 443))
    await asyncio.sleep(0)
    again.cancel()

    assert sorted(names) == sorted(["alive", *(f"dead{number}" for number in range(20))]), "one thread each"


async def test_a_name_is_looked_up_anew_after_its_answer_and_an_error_is_the_callers(names, loop):
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            await loop.getaddrinfo("wrong", 80)
        assert await loop.getaddrinfo("alive", 80) == ADDRESS

    assert names == ["wrong", "alive"] * 2


async def test_the_agent_looks_up_names_so(tmp_path, names):
    async with make_world(tmp_path) as world, world.agent():
        dead = [
            asyncio.create_task(asyncio.get_running_loop().getaddrinfo(f"dead{number}", 443))
            for number in range(100)
        ]
        async with asyncio.timeout(20):
            assert await asyncio.to_thread(lambda: "a port is open") == "a port is open"
        for task in dead:
            task.cancel()
        await asyncio.gather(*dead, return_exceptions=True)
