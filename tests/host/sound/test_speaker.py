"""The speaker over a player that a test plays: it tries, plays, finds out that nobody hears it, and tries again."""

import asyncio
import contextlib

import pytest
from crs_core.codes import PRIORITY_HIGH, PRIORITY_MEDIUM

from host_agent.sound.patterns import PATTERNS
from host_agent.sound.speaker import PAUSE_MAX_S, STALL_S, START_S, TRY_EVERY_S, Speaker, state_of
from tests.fakes.fake_clock import FakeClock

HIGH, MEDIUM = PATTERNS[PRIORITY_HIGH], PATTERNS[PRIORITY_MEDIUM]


class FakeChild:
    """A player: `moves` says whether the device takes sound, `answer` what it says when the device is opened."""

    pid = 4711

    def __init__(self, bench):
        self.bench = bench
        self.lines = asyncio.Queue()
        self.written = []
        self.is_killed = False
        self.is_open = False
        self.frames = 0
        if bench.starts:
            self.lines.put_nowait("ready")

    def write(self, line):
        self.written.append(line)
        if line == "stop":
            self.is_open = False
        elif not self.is_open:
            self.is_open, self.frames = True, 0
            self.lines.put_nowait(self.bench.answer)

    def tick(self):
        if self.is_open and self.bench.moves:
            self.frames += 24_000
            self.lines.put_nowait(f"frames {self.frames}")

    async def read(self):
        return await self.lines.get()

    async def end(self):
        self.is_killed = True


class Bench:
    """A speaker with its clock; `children` are the players that it started, `mixer` what the mixer says."""

    def __init__(self):
        self.clock = FakeClock()
        self.children = []
        self.starts = self.moves = True
        self.answer, self.mixer = "using PulseAudio", ""
        self.asked = []
        self.no_process = False
        self.speaker = Speaker(80, self.clock, start=self.start, ask_mixer=self.ask)

    async def start(self):
        if self.no_process:
            raise OSError(12, "Cannot allocate memory")
        self.children.append(FakeChild(self))
        return self.children[-1]

    async def ask(self, pid):
        self.asked.append(pid)
        return self.mixer

    @property
    def child(self):
        return self.children[-1]

    async def pass_s(self, seconds):
        for _ in range(round(seconds * 2)):
            for child in self.children:
                child.tick()
            await self.clock.advance(0.5)


@pytest.fixture
async def bench():
    made = Bench()
    running = asyncio.ensure_future(made.speaker.run())
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_nothing_is_started_while_nobody_needs_it(bench):
    await bench.pass_s(600)
    assert bench.children == [] and state_of(bench.speaker)["state"] == "unneeded"


async def test_it_is_tried_beforehand_with_silence_and_again_each_minute(bench):
    bench.speaker.want(None, is_needed=True)
    await bench.pass_s(3)
    assert bench.child.written == ["try", "stop"] and state_of(bench.speaker)["state"] == "ready"
    await bench.pass_s(TRY_EVERY_S + 3)
    assert bench.child.written == ["try", "stop"] * 2 and len(bench.children) == 1


async def test_what_is_due_is_played_at_once_and_a_rise_takes_its_place(bench):
    bench.speaker.want(None, is_needed=True)
    await bench.pass_s(5)
    bench.speaker.want(MEDIUM, is_needed=True)
    await bench.clock.advance(0)
    assert bench.child.written[-1] == "play 2 80"
    bench.speaker.want(HIGH, is_needed=True)
    await bench.clock.advance(0)
    assert bench.child.written[-1] == "play 3 80"
    bench.speaker.want(None, is_needed=True)
    await bench.clock.advance(0)
    assert bench.child.written[-1] == "stop" and bench.speaker.fault == ""


async def test_a_sound_during_a_try_is_played_at_once(bench):
    bench.speaker.want(None, is_needed=True)
    await bench.pass_s(0.5)
    assert bench.child.written == ["try"]
    bench.speaker.want(HIGH, is_needed=True)
    await bench.clock.advance(0)
    assert bench.child.written == ["try", "play 3 80"]
    await bench.pass_s(30)
    assert "stop" not in bench.child.written


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"answer": "failed no device"}, "no loudspeaker answers"),
        ({"moves": False}, "its loudspeaker takes no sound"),
        ({"starts": False}, "its sound program does not start"),
        ({"no_process": True}, "does not start (Cannot allocate memory)"),
        ({"mixer": "its sound is muted"}, "its sound is muted"),
    ],
)
async def test_a_sound_that_nobody_hears_is_known_before_an_alarm_and_over_when_it_is_heard(
    bench, fault, words
):
    for name, value in fault.items():
        setattr(bench, name, value)
    bench.speaker.want(None, is_needed=True)
    await bench.pass_s(START_S + 5)
    assert words in bench.speaker.fault and state_of(bench.speaker)["state"] == "silent"
    fresh = Bench()
    for name in fault:
        setattr(bench, name, getattr(fresh, name))
    await bench.pass_s(PAUSE_MAX_S + TRY_EVERY_S)
    assert bench.speaker.fault == "" and state_of(bench.speaker)["state"] == "ready"


@pytest.mark.parametrize("how", ["vanishes", "blocks", "ends"])
async def test_a_device_that_fails_in_the_middle_of_an_alarm(bench, how):
    bench.speaker.want(HIGH, is_needed=True)
    await bench.pass_s(20)
    first = bench.child
    assert bench.speaker.fault == ""
    if how == "vanishes":
        first.lines.put_nowait("failed device lost")
    elif how == "ends":
        first.lines.put_nowait("")
    else:
        bench.moves = False
    await bench.pass_s(STALL_S + 0.5 if how == "blocks" else 0.5)
    assert bench.speaker.fault != "" and first.is_killed, "a player that hangs is abandoned"
    bench.moves = True
    await bench.pass_s(10)
    assert bench.child is not first and bench.child.written[0] == "play 3 80" and bench.speaker.fault == ""


async def test_it_is_tried_again_with_growing_pauses(bench):
    bench.answer = "failed no device"
    bench.speaker.want(HIGH, is_needed=True)
    await bench.pass_s(60)
    first = len(bench.children)
    await bench.pass_s(60)
    assert 4 <= first <= 8 and len(bench.children) - first <= 3
    assert all(child.is_killed for child in bench.children)


async def test_another_alarm_does_not_wait_for_the_pause(bench):
    bench.answer = "failed no device"
    bench.speaker.want(MEDIUM, is_needed=True)
    await bench.pass_s(100)
    tries, bench.answer = len(bench.children), "using PulseAudio"
    bench.speaker.want(HIGH, is_needed=True)
    await bench.clock.advance(0)
    assert len(bench.children) == tries + 1 and bench.child.written == ["play 3 80"]


async def test_a_mixer_that_never_answers_holds_up_nothing(bench):
    async def never(pid):
        await asyncio.Event().wait()

    bench.speaker._ask_mixer = never
    bench.speaker.want(None, is_needed=True)
    await bench.pass_s(5)
    bench.speaker.want(HIGH, is_needed=True)
    await bench.clock.advance(0)
    assert bench.child.written[-1] == "play 3 80"


async def test_the_mixer_is_asked_about_the_own_stream_while_it_plays(bench):
    bench.speaker.want(HIGH, is_needed=True)
    await bench.pass_s(10)
    assert len(bench.asked) >= 3 and set(bench.asked) == {FakeChild.pid}
    bench.mixer = "its sound is muted"
    await bench.pass_s(4)
    assert bench.speaker.fault == "its sound is muted" and not bench.child.is_killed
    assert bench.child.written == ["play 3 80"], "whoever switches the sound on again hears it at once"


async def test_a_muted_laptop_does_not_look_loud_after_its_player_failed(bench):
    bench.mixer, bench.moves = "its sound is muted", False
    bench.speaker.want(HIGH, is_needed=True)
    for _ in range(80):
        await bench.pass_s(0.5)
        assert bench.speaker.fault or not bench.children[1:]


async def test_when_nobody_needs_it_any_more_the_player_ends_and_the_fault_is_over(bench):
    bench.mixer = "its sound is muted"
    bench.speaker.want(None, is_needed=True)
    await bench.pass_s(5)
    bench.speaker.want(None, is_needed=False)
    await bench.pass_s(1)
    assert (
        bench.child.is_killed and bench.speaker.fault == "" and state_of(bench.speaker)["state"] == "unneeded"
    )
