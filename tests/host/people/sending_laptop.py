"""A laptop that brings entries to a wearable: the real sender, in a session that the test opens."""

import asyncio
import contextlib

from crs_core.wire import rights

from host_agent.keys.keyfile import DeviceKey
from host_agent.people.sender import ContextSender, Session
from host_agent.sync.timebase import stored_time
from tests.fakes.fake_clock import FakeClock

CUSTODIAN = DeviceKey(bytes(8), 1, bytes(32), rights.CUSTODIAN, "bedside")


class BedClock(FakeClock):
    """The world's time; a pause ends only by being woken."""

    def __init__(self, bed):
        super().__init__()
        self._bed = bed

    def utc_ms(self):
        return self._bed.now_ms


class Laptop:
    """The sender of one run of the agent."""

    def __init__(self, bed):
        self.bed, self.clock, self.sessions = bed, BedClock(bed), []
        self.sender = ContextSender(
            bed.store, lambda: list(self.sessions), self.clock, self.clock, stored_time
        )
        self.task = asyncio.create_task(self.sender.run())

    async def session(self, *, is_caught_up=True):
        """A new session with the wearable, and everything that is sent at once in it."""
        self.sessions[:] = [Session(1, Client(self.bed.wearable), self.bed.wearable.boot, is_caught_up)]
        await self.turn()

    async def turn(self):
        """One whole turn of the sender: until it sleeps again."""
        async with asyncio.timeout(30):
            while not self.clock.slept:
                await asyncio.sleep(0.002)
            begun = len(self.clock.slept)
            self.sender.wake()
            while len(self.clock.slept) == begun:
                await asyncio.sleep(0.002)

    async def close(self):
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


class Client:
    """One session: another object each time, as in the agent."""

    def __init__(self, wearable, key=CUSTODIAN):
        self._wearable, self.key = wearable, key

    async def send_context(self, data):
        await self._wearable.send_context(data)
