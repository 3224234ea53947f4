"""The real player on a real sound server: what its sink plays is recorded and measured."""

import asyncio
import contextlib
import os
import signal

import pytest
from crs_core.codes import PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_MEDIUM

from host_agent.clock import RealClock
from host_agent.sound.patterns import PATTERNS, components_hz
from host_agent.sound.speaker import Speaker, start_player, state_of
from tools.rig.heard import pulses_in, strength
from tools.rig.sound_server import MISSING, RATE_HZ, SINK, has_sound_server, sound_server

pytestmark = [
    pytest.mark.skipif(not has_sound_server(), reason=MISSING),
    pytest.mark.slow,
    pytest.mark.real_time,
]


@pytest.fixture
def server(monkeypatch):
    with sound_server() as found:
        for name, value in found.environ.items():
            monkeypatch.setenv(name, value)
        yield found


class Loud:
    """A running speaker; `pids` are the players that it started."""

    def __init__(self):
        self.pids = []
        self.speaker = Speaker(80, RealClock(), start=self._start)

    async def _start(self):
        child = await start_player()
        self.pids.append(child.pid)
        return child

    async def until(self, check, pause_s=0.05):
        async with asyncio.timeout(60):
            while not check():
                await asyncio.sleep(pause_s)

    async def until_state(self, state):
        await self.until(lambda: state_of(self.speaker)["state"] == state)


@pytest.fixture
async def loud(server):
    made = Loud()
    running = asyncio.ensure_future(made.speaker.run())
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def recorded(server, loud, priority, pulses):
    """Samples from the beginning of this sound until a second after so many pulses."""
    loud.speaker.want(None, is_needed=True)
    await loud.until_state("ready")
    with server.recorded() as recording:
        loud.speaker.want(PATTERNS[priority], is_needed=True)
        await loud.until(lambda: recording.has(pulses, after_ms=1000), pause_s=0.3)
        return recording.samples()


@pytest.mark.parametrize("priority", [PRIORITY_HIGH, PRIORITY_MEDIUM, PRIORITY_LOW])
async def test_the_pattern_is_heard_as_the_table_says(server, loud, priority):
    pattern = PATTERNS[priority]
    samples = await recorded(server, loud, priority, len(pattern.starts_ms))
    found = pulses_in(samples, RATE_HZ)
    assert len(found) == len(pattern.starts_ms)
    begin = found[0][0]
    assert [start - begin for start, _ in found] == pytest.approx(list(pattern.starts_ms), abs=25)
    assert all(length == pytest.approx(pattern.pulse_ms, abs=25) for _, length in found)
    at = round(begin * RATE_HZ / 1000)
    one = samples[at : at + pattern.pulse_ms * RATE_HZ // 1000]
    first = strength(one, pattern.fundamental_hz, RATE_HZ)
    others = [strength(one, hz, RATE_HZ) for hz in components_hz(pattern)[1:]]
    assert first > 100 and all(first / 5.6 < other < first * 5.6 for other in others)
    assert strength(one, pattern.fundamental_hz * 1.5, RATE_HZ) < first / 10


async def test_the_burst_comes_again_after_its_gap(server, loud):
    pattern = PATTERNS[PRIORITY_HIGH]
    samples = await recorded(server, loud, PRIORITY_HIGH, 20)
    starts = [start for start, _ in pulses_in(samples, RATE_HZ)]
    assert len(starts) == 20
    assert starts[10] - starts[0] == pytest.approx(pattern.burst_ms + pattern.gap_ms, abs=60)


async def test_a_muted_sink_and_one_that_is_too_quiet_are_found_and_over_when_it_is_loud_again(server, loud):
    loud.speaker.want(PATTERNS[PRIORITY_HIGH], is_needed=True)
    await loud.until_state("playing")
    server.control("set-sink-mute", SINK, "1")
    await loud.until(lambda: loud.speaker.fault == "its sound is muted")
    server.control("set-sink-mute", SINK, "0")
    await loud.until_state("playing")
    server.control("set-sink-volume", SINK, "0%")
    await loud.until(lambda: loud.speaker.fault == "its volume is 0 %")
    server.control("set-sink-volume", SINK, "100%")
    await loud.until_state("playing")
    number = server.control("list", "short", "sink-inputs").split()[0]
    server.control("set-sink-input-mute", number, "1")
    await loud.until(lambda: loud.speaker.fault == "its sound is muted")
    assert len(loud.pids) == 1


async def test_a_server_that_crashes_in_the_middle_is_found_and_the_alarm_sounds_again_with_the_next(
    server, loud
):
    loud.speaker.want(PATTERNS[PRIORITY_HIGH], is_needed=True)
    await loud.until_state("playing")
    server.end()
    await loud.until_state("silent")
    server.start_again()
    await loud.until_state("playing")
    with server.recorded() as recording:
        await loud.until(lambda: recording.has(10), pause_s=0.3)


async def test_a_server_and_a_player_that_hang_are_found(server, loud):
    loud.speaker.want(PATTERNS[PRIORITY_HIGH], is_needed=True)
    await loud.until_state("playing")
    server.process.send_signal(signal.SIGSTOP)
    await loud.until_state("silent")
    server.process.send_signal(signal.SIGCONT)
    await loud.until_state("playing")
    os.kill(loud.pids[-1], signal.SIGSTOP)
    await loud.until_state("silent")
    await loud.until_state("playing")


async def test_a_server_without_a_device_plays_into_nothing_and_is_found(server, loud):
    server.end()
    server.start_again("module-null-sink sink_name=auto_null")
    loud.speaker.want(None, is_needed=True)
    await loud.until(lambda: loud.speaker.fault == "no loudspeaker is connected")


async def test_without_a_server_there_is_no_loudspeaker(server, loud):
    server.end()
    loud.speaker.want(None, is_needed=True)
    await loud.until(lambda: loud.speaker.fault == "no loudspeaker answers")
    server.start_again()
    await loud.until_state("ready")


async def test_the_player_ends_with_its_owner(server):
    child = await start_player()
    assert await child.read() == "ready"
    child.write("play 3 80")
    child._process.stdin.close()
    async with asyncio.timeout(20):
        assert await child._process.wait() == 0
