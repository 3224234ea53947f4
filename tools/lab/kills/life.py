"""One life of an alarm in the real store, escalation and workers: raised, told, refused, told again, accepted, over.

It goes on where an earlier process of it was killed, from what is on disk: the store, the phase, what receivers got.
"""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from crs_core import codes
from crs_core.grade import alarm_state, alarms, rules
from crs_core.journal import block_reader, block_writer, record_types

from host_agent.config.model import parse_config
from host_agent.escalation.acceptance.from_receiver import taker
from host_agent.escalation.checks.check import CheckParts
from host_agent.escalation.checks.contact_steps import ContactStepsCheck
from host_agent.escalation.contact.calling import Calling
from host_agent.escalation.contact.plan import plan_of
from host_agent.escalation.derive import Escalation
from host_agent.escalation.target import Target
from host_agent.forward.delivery import Delivered, Delivery, Outcome, Reply, RetryAfter
from host_agent.forward.worker import Worker
from host_agent.store import outbox
from host_agent.store.coverage import Coverage
from host_agent.store.db import Store, Tx
from host_agent.store.devices import devices
from host_agent.store.insertion import IncomingBlock
from host_agent.store.journals import open_journal
from host_agent.store.rows import Journal
from host_agent.sync.commit import commit_records
from tools.rig.stored import bind_patient

DEVICE_ID, JOURNAL_ID, BINDING_ID = b"\x0e" * 8, b"JOURNAL1", b"BINDING1"
BEGIN_MS = 1_800_000_000_000
PHASES_S = (0.0, 300.0, 310.0, 400.0)  # raised, second step due, accepted, over
RECEIVERS = ("phone", "pager", "ward")
_PLAN = parse_config(
    "".join(
        f'[[webhook]]\nname = "{name}"\nurl = "https://a.example/{name}"\nsecret_env = "S"\n'
        for name in RECEIVERS
    )
    + '[[contact]]\nname = "anna"\nrole = "caregiver"\nchannels = ["phone"]\n'
    '[[contact]]\nname = "ben"\nrole = "nurse"\nchannels = ["pager"]\n'
    '[[step]]\ncontacts = ["anna"]\n[[step]]\nafter_s = 240\ncontacts = ["ben"]\n'
)
_DEADLINE_S = 60.0
T = TypeVar("T")


class DyingStore(Store):
    """Kills this process at commit number `at`: before it or after it. `at` 0: never."""

    at, when, commits = 0, "", 0

    def _transact(self, fn: Callable[[Tx], T]) -> T:
        self.commits += 1
        dies = self.commits == self.at

        def work(tx: Tx) -> T:
            result = fn(tx)
            if dies and self.when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        result = super()._transact(work)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


class PhaseClock:
    """Real time on top of the phase's own."""

    speed = 1.0

    def __init__(self) -> None:
        self.phase_s = 0.0
        self._began_s = time.monotonic()

    def utc_ms(self) -> int:
        """As a wall clock that nobody sets."""
        return BEGIN_MS + round(self.monotonic() * 1000)

    def monotonic(self) -> float:
        """Seconds since the begin of the first phase."""
        return self.phase_s + time.monotonic() - self._began_s

    async def sleep(self, seconds: float) -> None:
        """Real seconds."""
        await asyncio.sleep(seconds)


class Receiver:
    """A receiver whose memory is a file. It refuses a message first, then takes it and says nothing, then says so."""

    accept_simulated = True

    def __init__(self, name: str, folder: Path, before_send: Callable[[Delivery], Any]) -> None:
        self.name, self._file, self._before_send = name, folder / f"{name}.got", before_send
        self._asked = folder / f"{name}.asked"

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt."""
        await self._before_send(delivery)
        tries = Counter(self._asked.read_text().split() if self._asked.exists() else ())[delivery.event_key]
        _append(self._asked, delivery.event_key)
        if tries == 0:
            return RetryAfter("HTTP 500", whole_target=False)
        _append(self._file, json.dumps([delivery.event_key, delivery.body.decode()]))
        return RetryAfter("no answer in time", whole_target=False) if tries == 1 else Delivered("HTTP 200")

    async def close(self) -> None:
        """Nothing is open."""


class Life:
    """`sabotage` "mark_first" notes a delivery before it is made."""

    def __init__(self, folder: Path, at: int, when: str, sabotage: str = "") -> None:
        self._folder = folder
        self._clock = PhaseClock()
        self.store = DyingStore(folder / "cytowatch.db", self._clock, waits=True)
        self.store.at, self.store.when = at, when
        targets = [Target(name, True, name != "ward") for name in RECEIVERS]
        plan = plan_of(_PLAN)
        assert plan is not None
        calling = Calling(plan, targets, self._clock, system="start 1", link_utc_ms=self._clock.utc_ms)
        self._escalation = Escalation(targets, link_utc_ms=self._clock.utc_ms, calling=calling)
        parts = CheckParts(self.store, self._escalation, self._clock)
        self._steps = ContactStepsCheck(parts, self._escalation)
        self._sabotage = sabotage
        self._workers: list[Worker] = []

    async def run(self) -> None:
        """From the phase that the last process was in to the end."""
        self._workers = [
            Worker(
                self.store, Receiver(name, self._folder, self._mark(name)), retry_first_s=0.01, retry_cap_s=1.0,
                clock=self._clock,
            )
            for name in RECEIVERS
        ]  # fmt: skip
        self._clock.phase_s = PHASES_S[0]
        journal = await self.store.write(self._set_up)
        tasks = [asyncio.ensure_future(worker.run()) for worker in self._workers]
        phase_file = self._folder / "phase"
        try:
            async with asyncio.timeout(_DEADLINE_S):
                for phase in range(int(phase_file.read_text()) if phase_file.exists() else 0, len(PHASES_S)):
                    self._clock.phase_s = PHASES_S[phase]
                    await self._do(phase, journal)
                    await self._all_delivered()
                    _replace(phase_file, str(phase + 1))
        finally:
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            (self._folder / "commits").write_text(str(self.store.commits))
            self.store.close()

    async def _do(self, phase: int, journal: Journal) -> None:
        if phase == 0:
            await self._journal(journal, 1, codes.PRIORITY_HIGH)
        elif phase == 1:
            await self._steps.look()
        elif phase == 2:
            messages = await self.store.read(outbox.messages)
            code = next(
                json.loads(one.payload)["accept"]["token"] for one in messages if one.target == "pager"
            )
            take = taker(self.store, self._clock, self._escalation.accepted, lambda: None, {"pager": "ben"})
            await take(Reply(code, "", "a test", None))
        else:
            await self._journal(journal, 2, 0)
        for worker in self._workers:
            worker.wake()

    async def _journal(self, journal: Journal, seq: int, priority: int) -> None:
        """The wearable's record, which it sends again until it is acknowledged."""
        state = alarms.new_state()
        if seq > 1:
            state[alarm_state.PRIORITIES] |= codes.PRIORITY_HIGH << 2 * codes.HYPOXAEMIA
        record = record_types.Alarm(
            rules.rule_hash(rules.DEFAULT), ((codes.HYPOXAEMIA, priority),), bytes(alarm_state.INPUTS_SIZE),
            alarms.encode_state(state, 0), 0,
        )  # fmt: skip
        row = (60_000 * seq, record_types.type_of(record), record_types.encode(record))
        raw = block_writer.encode_events(JOURNAL_ID, 1, seq, [row])
        header, content = block_reader.decode(raw, JOURNAL_ID)
        item = IncomingBlock(header, raw, content)
        await self.store.write(
            lambda tx: commit_records(
                tx, self._escalation, journal=journal, coverage=Coverage(), items=[item], failure=None,
                now_ms=self._clock.utc_ms,
            )
        )  # fmt: skip

    async def _all_delivered(self) -> None:
        while await self.store.read(outbox.count_waiting):
            await asyncio.sleep(0.01)

    def _set_up(self, tx: Tx) -> Journal:
        opened = open_journal(tx, 1, JOURNAL_ID, BINDING_ID, self._clock.utc_ms()) if _is_set_up(tx) else None
        if opened is None:
            bind_patient(tx, DEVICE_ID, BINDING_ID)
            opened = open_journal(tx, 1, JOURNAL_ID, BINDING_ID, self._clock.utc_ms())
        return opened.journal

    def _mark(self, name: str) -> Callable[[Delivery], Any]:
        async def mark(delivery: Delivery) -> None:
            if self._sabotage != "mark_first":
                return

            def write(tx: Tx) -> None:
                for one in outbox.messages(tx):
                    if (one.target, one.event_key) == (name, delivery.event_key):
                        outbox.mark_delivered(tx, one.id, 1)

            await self.store.write(write)

        return mark


def _is_set_up(tx: Tx) -> bool:
    return bool(devices(tx))


def _replace(file: Path, text: str) -> None:
    """A worker may be killed at its commit meanwhile: the file is the old one or the new one."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def _append(file: Path, line: str) -> None:
    """One line that is there once this returns; a kill of this process leaves it whole or not at all."""
    number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(number, line.encode() + b"\n")
    finally:
        os.close(number)
