"""This laptop's sound, from the agent's side: keeps a player process, watches that it is heard, tries again.

Nothing here waits for a device: the player is a process that may be ended while it hangs. While sound is needed it is
tried every minute, so that a mute or a missing device is known before an alarm.
"""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from host_agent.clock import Clock, sleep_or_event
from host_agent.sound import mixer
from host_agent.sound.patterns import RATE_HZ, Pattern

_COMMAND = (sys.executable, "-m", "host_agent.sound.player")
START_S = 15.0  # for a process on a laptop that is busy
STALL_S = 3.0  # a device that takes nothing for so long is silent
TRY_EVERY_S, _TRIED_FRAMES = 60.0, RATE_HZ // 2  # more than any buffer takes at once
_MIXER_IDLE_S, _MIXER_LOUD_S = 20.0, 3.0
_LOOK_S = 0.5
_END_S = 2.0
_PAUSE_FIRST_S, PAUSE_MAX_S = 1.0, 30.0


class Silent(Exception):  # noqa: N818 (errors are named by their condition)
    """Nothing can be heard; the text says why, in words for nurses."""


class Child(Protocol):
    """The player process."""

    @property
    def pid(self) -> int: ...
    def write(self, line: str) -> None: ...
    async def read(self) -> str:
        """The next line, "" when it ended."""

    async def end(self) -> None:
        """End it, whatever it is doing."""


async def start_player() -> Child:
    """A new player; OSError when no process can be started."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    return _Process(process)


class Speaker:
    """`fault` says why nothing can be heard, "" while no reason is known; `proven` whether it was tried since."""

    def __init__(
        self,
        volume_percent: int,
        clock: Clock,
        *,
        start: Callable[[], Awaitable[Child]] = start_player,
        ask_mixer: Callable[[int | None], Awaitable[str]] = mixer.ask,
    ) -> None:
        self.fault = ""
        self.proven = False
        self.device = ""
        self._volume = volume_percent
        self._clock = clock
        self._start, self._ask_mixer = start, ask_mixer
        self._pattern: Pattern | None = None
        self._is_needed = False
        self._changed = asyncio.Event()
        self._frames = 0
        self._moved_s = 0.0
        self._lines: list[str] = []

    @property
    def playing(self) -> Pattern | None:
        """What is due now, heard or not."""
        return self._pattern

    def want(self, pattern: Pattern | None, *, is_needed: bool) -> None:
        """Play this from now on. `is_needed`: an alarm may become due, so it must be known whether it can be heard."""
        if (pattern, is_needed) != (self._pattern, self._is_needed):
            self._pattern, self._is_needed = pattern, is_needed
            self._changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        pause_s = _PAUSE_FIRST_S
        while True:
            self._changed.clear()
            if not self.is_wanted:
                self.fault, self.proven = "", False
                await self._changed.wait()
                continue
            began_s = self._clock.monotonic()
            try:
                await self._serve()
                continue
            except Silent as silent:
                self.fault, self.proven = str(silent), False
            if self._clock.monotonic() - began_s > TRY_EVERY_S:
                pause_s = _PAUSE_FIRST_S
            self._changed.clear()
            await sleep_or_event(self._clock, pause_s, self._changed)  # another alarm does not wait
            pause_s = min(pause_s * 2, PAUSE_MAX_S)

    @property
    def is_wanted(self) -> bool:
        """Whether an alarm is due or may become due."""
        return self._is_needed or self._pattern is not None

    async def _serve(self) -> None:
        """With one player, until nothing is wanted; Silent when it cannot be heard by its own fault."""
        try:
            child = await self._start()
        except OSError as error:
            raise Silent(f"its sound program does not start ({error.strerror or 'no process'})") from None
        self._lines = []
        reading = asyncio.ensure_future(self._read(child))
        try:
            await self._wait_ready()
            await self._keep_playing(child)
        finally:
            reading.cancel()
            await child.end()

    async def _wait_ready(self) -> None:
        until_s = self._clock.monotonic() + START_S
        while "ready" not in self._lines:
            if self._clock.monotonic() >= until_s:
                raise Silent("its sound program does not start")
            self._changed.clear()
            self._hear()
            await sleep_or_event(self._clock, _LOOK_S, self._changed)

    async def _keep_playing(self, child: Child) -> None:
        played: Pattern | None = None
        is_open, tried_s, asked_s, why = False, float("-inf"), float("-inf"), ""
        asking: asyncio.Future[str] | None = None
        try:
            while self.is_wanted:
                self._changed.clear()
                now_s = self._clock.monotonic()
                if self._pattern is not played:
                    played, asked_s = self._pattern, float("-inf")
                    child.write(f"play {played.priority} {self._volume}" if played else "stop")
                    is_open = self._opened(played is not None, was_open=is_open)
                elif not is_open and now_s - tried_s >= TRY_EVERY_S:
                    child.write("try")
                    is_open = self._opened(True, was_open=False)
                self._hear()
                if is_open and now_s - self._moved_s > STALL_S:
                    raise Silent("its loudspeaker takes no sound")
                if is_open and self._frames >= _TRIED_FRAMES:
                    tried_s, self.proven = now_s, True
                    if played is None:
                        child.write("stop")
                        is_open = False
                if asking is None and now_s - asked_s >= (_MIXER_LOUD_S if played else _MIXER_IDLE_S):
                    asked_s = now_s
                    asking = asyncio.ensure_future(self._ask_mixer(child.pid if is_open else None))
                    asking.add_done_callback(lambda done: self._changed.set())
                if asking is not None and asking.done():
                    why, asking = asking.result(), None
                if why or self.proven:  # a device that failed stays the reason until it was tried again
                    self.fault = why
                await sleep_or_event(self._clock, _LOOK_S, self._changed)
        finally:
            if asking is not None:
                asking.cancel()

    def _opened(self, is_open: bool, *, was_open: bool) -> bool:
        if is_open and not was_open:
            self._frames, self._moved_s = 0, self._clock.monotonic()
        return is_open

    def _hear(self) -> None:
        """Take in what the player said since; Silent when it cannot go on."""
        for line in self._lines:
            word, _, rest = line.partition(" ")
            if word == "frames":
                frames = int(rest)
                if frames > self._frames:
                    self._frames, self._moved_s = frames, self._clock.monotonic()
            elif word == "using":
                self.device = rest
            elif word == "failed":
                raise Silent("no loudspeaker answers")
            elif word == "ended":
                raise Silent("its sound program ended")
        self._lines = [line for line in self._lines if line == "ready"]

    async def _read(self, child: Child) -> None:
        while line := await child.read():
            self._lines.append(line)
            self._changed.set()
        self._lines.append("ended")
        self._changed.set()


class _Process:
    """A real player."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    def write(self, line: str) -> None:
        """Never waits: a player that hangs does not read."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, RuntimeError):
            self._process.stdin.write(f"{line}\n".encode())

    async def read(self) -> str:
        assert self._process.stdout is not None
        try:
            return (await self._process.stdout.readline()).decode(errors="replace").strip()
        except (OSError, ValueError):
            return ""

    async def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        with contextlib.suppress(TimeoutError):  # one that the system itself holds is left behind
            async with asyncio.timeout(_END_S):
                await self._process.wait()


def state_of(speaker: Speaker | None, *, is_enabled: bool = True) -> dict[str, Any]:
    """For `status` and `doctor`: `state` is off, unneeded, untried, ready, playing or silent; `text` says it."""
    if speaker is None or not is_enabled:
        return {"state": "off", "text": "sound is switched off in the configuration", "playing": None}
    playing = speaker.playing
    if speaker.fault:
        state, text = "silent", f"it cannot be heard: {speaker.fault}"
    elif not speaker.is_wanted:
        state, text = "unneeded", "nobody is monitored here whose alarms should sound"
    elif not speaker.proven:
        state, text = "untried", "the sound is being tried"
    elif playing is not None:
        state, text = "playing", "an alarm sounds"
    else:
        state, text = "ready", "the loudspeaker takes sound; whether a person hears it, only a person can say"
    return {"state": state, "text": text, "playing": playing.priority if playing else None}
