"""A bedside without processes: one bound wearable, the real store and escalation, a clock that is moved by hand.

The agent can be killed at any commit, before it or after it, and started again from the store; the wall clock can be
set, and the computer started anew.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from crs_core import codes
from crs_core.grade import alarm_state, alarms, rules
from crs_core.journal import block_reader, block_writer, record_types

from host_agent.errors import StoreFull
from host_agent.escalation.checks.check import CheckParts, Finding
from host_agent.escalation.checks.contact_steps import ContactStepsCheck
from host_agent.escalation.checks.nobody_reached import NobodyReachedCheck
from host_agent.escalation.contact.calling import Calling
from host_agent.escalation.contact.plan import Plan
from host_agent.escalation.derive import Escalation
from host_agent.escalation.target import Target
from host_agent.store import outbox
from host_agent.store.bindings import end_binding
from host_agent.store.coverage import Coverage
from host_agent.store.db import Store, Tx
from host_agent.store.host_alarms import end_alarm, open_alarms, raise_alarm
from host_agent.store.insertion import IncomingBlock
from host_agent.store.journals import open_journal
from host_agent.store.time_marks import Mark, keep_mark
from host_agent.sync.commit import commit_records
from tools.rig.stored import bind_patient

DEVICE_ID, JOURNAL_ID, BINDING_ID = b"\x0c" * 8, b"JOURNAL1", b"BINDING1"
BEGIN_UTC_MS = 1_800_000_000_000


class KilledError(Exception):
    """The agent was killed inside a transaction."""


class HandClock:
    """`true_s` is what really passed; the wall clock and the counter of the computer may say something else."""

    speed = 1.0

    def __init__(self) -> None:
        self.true_s = 0.0
        self.wall_off_ms = 0
        self.counter_from_s = 0.0

    def utc_ms(self) -> int:
        """The wall clock."""
        return BEGIN_UTC_MS + round(self.true_s * 1000) + self.wall_off_ms

    def monotonic(self) -> float:
        """The counter of the computer, from its start on."""
        return self.true_s - self.counter_from_s

    async def sleep(self, seconds: float) -> None:
        """Nobody waits here."""
        raise AssertionError("nothing sleeps on a clock that is moved by hand")


class CalledBedside:
    """`kill` is asked at every commit: "before" or "after" it ends the agent there."""

    def __init__(self, folder: Path, plan: Plan | None, targets: list[str]) -> None:
        self.plan = plan
        persons = targets if plan is None else [name for one in plan.people for name in one.channels]
        self.targets = [Target(name, True, name in persons) for name in targets]
        self.clock = HandClock()
        self.kill: Callable[[], str] = lambda: ""
        self.commits = 0
        self.is_disk_full = False
        self.from_memory: list[tuple[bytes | None, Finding]] = []
        self._path = folder / "cytowatch.db"
        self._system = 1
        self._active: dict[int, int] = {}
        self._seq = 1
        self._boot_s = -3600.0
        self.start()
        self.journal = self.store.write_now(self._set_up)
        self._coverage = Coverage()

    def start(self) -> None:
        """The agent starts from its store."""
        self.store = Store(self._path, self.clock)
        utc_ms = self.clock.utc_ms
        calling = None
        if self.plan is not None:
            calling = Calling(
                self.plan, self.targets, self.clock, system=f"start {self._system}", link_utc_ms=utc_ms
            )
        self.escalation = Escalation(self.targets, link_utc_ms=utc_ms, calling=calling)
        parts = CheckParts(
            _Killed(self), self.escalation, self.clock, lambda *about: self.from_memory.append(about)  # type: ignore[arg-type]
        )  # fmt: skip
        self.steps = ContactStepsCheck(parts, self.escalation)
        self.reached = NobodyReachedCheck(
            parts, [target.name for target in self.targets if target.reaches_person], self.clock,
            address_again=self.escalation.address_again, accept_within_ms=self.escalation.accept_within_ms,
        )  # fmt: skip

    def stop(self) -> None:
        """The agent ends; nothing but the store is left."""
        self.store.close()

    def start_computer_anew(self, off_s: float) -> None:
        """The computer is off for so long; its counter begins anew."""
        self.stop()
        self.clock.true_s += off_s
        self.clock.counter_from_s = self.clock.true_s
        self._system += 1
        self.start()

    def write(self, fn: Callable[[Tx], Any]) -> Any:
        """One commit, at which the agent may be killed: KilledError then."""
        if self.is_disk_full:
            raise StoreFull("the disk is full")
        self.commits += 1
        how = self.kill()

        def work(tx: Tx) -> Any:
            result = fn(tx)
            if how == "before":
                raise KilledError
            return result

        result = self.store.write_now(work)
        if how == "after":
            raise KilledError
        return result

    def alarm(self, alarm: int, priority: int, seq: int | None = None) -> None:
        """The wearable journals that an alarm rose, fell, or ended (0), and the laptop stores it."""
        self._journal([self._alarm_record(alarm, priority)], seq)

    def alarms_late(self, alarm: int, *priorities: int) -> None:
        """Several changes of one alarm that come in one commit, because the link was away."""
        self._journal([self._alarm_record(alarm, priority) for priority in priorities])

    def skip_one_sequence(self) -> int:
        """A record that comes later: its sequence."""
        self._seq += 1
        return self._seq - 1

    def host_alarm(self, alarm: int, priority: int, *, about_wearable: bool = True) -> None:
        """The laptop raises an alarm itself, lets it rise, or ends it (0)."""
        device = self.journal.device if about_wearable else None

        def change(tx: Tx) -> None:
            utc_ms = self.clock.utc_ms()
            if priority:
                raise_alarm(
                    tx,
                    self.escalation,
                    device=device,
                    alarm=alarm,
                    priority=priority,
                    detail="",
                    utc_ms=utc_ms,
                )
            else:
                end_alarm(tx, self.escalation, device=device, alarm=alarm, utc_ms=utc_ms)

        self.write(change)

    def sounds(self) -> bool:
        """Whether NOBODY_REACHED sounds on the wearable, by the store or from memory."""
        return DEVICE_ID in self.reached.sounding | self.steps.sounding

    def _alarm_record(self, alarm: int, priority: int) -> Any:
        state = alarms.new_state()
        for active, was in self._active.items():
            state[alarm_state.PRIORITIES] |= was << 2 * active
        record = record_types.Alarm(
            rules.rule_hash(rules.DEFAULT), ((alarm, priority),), bytes(alarm_state.INPUTS_SIZE),
            alarms.encode_state(state, 0), 0,
        )  # fmt: skip
        self._active[alarm] = priority
        return record

    def accept(self, alarm: int, priority: int, who: str = "ward") -> None:
        """A person accepts it at the wearable, up to this priority."""
        self._journal([record_types.Accepted(alarm, priority, 1, who)])

    def end_patient(self) -> None:
        """`cytowatch patient end`."""
        self.write(lambda tx: end_binding(tx, 1, "", self.clock.utc_ms()))

    async def look(self) -> None:
        """The two checks look once."""
        await self.steps.look()
        await self.reached.look()

    def deliver(self, *names: str, how: str = "delivered") -> None:
        """What these receivers do with all that waits for them: delivered, refused or retry."""
        self.settle(dict.fromkeys(names, how))

    def settle(self, how: Mapping[str, str]) -> None:
        """The same for receivers that differ; one that is not in `how` does nothing."""
        waiting = [
            (one.id, how[one.target])
            for one in self.store.read_now(outbox.messages)
            if one.state == "pending" and one.target in how
        ]

        def write_back(tx: Tx) -> None:
            for row, outcome in waiting:
                if outcome == "delivered":
                    outbox.mark_delivered(tx, row, self.clock.utc_ms())
                elif outcome == "refused":
                    outbox.mark_refused(tx, row, "HTTP 400")
                else:
                    outbox.mark_retry(tx, row, self.clock.utc_ms() + 1000, "no answer")

        if waiting:
            self.write(write_back)

    def rows(self) -> list[tuple[str, str, str, int]]:
        """(receiver, key, stage, priority) of the outbox, oldest first."""
        return [
            (one.target, one.event_key, json.loads(one.payload).get("stage", ""), one.priority)
            for one in self.store.read_now(outbox.messages)
        ]

    def payloads(self, name: str) -> list[dict[str, Any]]:
        """What this receiver is sent, oldest first."""
        return [json.loads(one.payload) for one in self.store.read_now(outbox.messages) if one.target == name]

    def is_nobody_reached(self) -> bool:
        """Whether NOBODY_REACHED stands about the wearable and sounds on it."""
        stands = any(
            one.alarm == codes.NOBODY_REACHED and one.device == self.journal.device and one.priority == 3
            for one in self.store.read_now(open_alarms)
        )
        return stands and DEVICE_ID in self.reached.sounding

    def _journal(self, records: list[Any], seq: int | None = None) -> None:
        t_ms = round((self.clock.true_s - self._boot_s) * 1000)
        rows = [(t_ms, record_types.type_of(one), record_types.encode(one)) for one in records]
        raw = block_writer.encode_events(JOURNAL_ID, 1, self._seq if seq is None else seq, rows)
        header, content = block_reader.decode(raw, JOURNAL_ID)
        item = IncomingBlock(header, raw, content)
        while True:  # what was not acknowledged comes again
            try:
                done = self.write(
                    lambda tx: commit_records(
                        tx, self.escalation, journal=self.journal, coverage=self._coverage, items=[item], failure=None,
                        now_ms=self.clock.utc_ms,
                    )
                )  # fmt: skip
                break
            except KilledError:
                self.stop()
                self.start()
        self._coverage = done.coverage
        if seq is None:
            self._seq += len(records)

    def _set_up(self, tx: Tx) -> Any:
        bind_patient(tx, DEVICE_ID, BINDING_ID)
        keep_mark(
            tx, 1, Mark(1, 0, self.clock.utc_ms() + round(self._boot_s * 1000), 100, True, 0x11), "live"
        )
        return open_journal(tx, 1, JOURNAL_ID, BINDING_ID, self.clock.utc_ms()).journal


class _Killed:
    """The store as the checks see it: at every write the agent may be killed."""

    def __init__(self, bedside: CalledBedside) -> None:
        self._bedside = bedside

    async def write(self, fn: Callable[[Tx], Any]) -> Any:
        return self._bedside.write(fn)

    async def read(self, fn: Callable[[Tx], Any]) -> Any:
        return self._bedside.store.read_now(fn)
