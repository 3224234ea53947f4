"""Whole records that are lawful for the codec and absurd in value, through everything that reads them.

A folder holds two wearables: one that sends anything, one that is honest. Each message goes the way of the agent:
decode, commit with what is derived, re-run, live values. Then the checks look, and every command is typed. Counted are
exceptions, tracebacks in the log, tracebacks of commands, and whatever harmed the honest wearable.
"""

import asyncio
import collections
import contextlib
import json
import logging
import random
import tempfile
import traceback
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from crs_core import codes, units
from crs_core.errors import CoreError
from crs_core.grade import alarm_state, alarms, grader_state, rules
from crs_core.journal import (
    block_layout,
    block_writer,
    record_bounds,
    record_layout,
    record_types,
    record_writer,
)
from crs_core.wire import message as wire
from crs_core.wire.message_bounds import check_message

from host_agent.clock import Clock, RealClock
from host_agent.config.model import WatchdogSection
from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts
from host_agent.escalation.checks.contradicting_time import ContradictingTimeCheck
from host_agent.escalation.checks.prompts import PromptCheck
from host_agent.escalation.checks.silence import SilenceCheck
from host_agent.escalation.checks.silence_rules import Limits
from host_agent.escalation.derive import Escalation, Target
from host_agent.store.accounts import Account, add_account
from host_agent.store.audit import AuditRow, add_row
from host_agent.store.bindings import ACTIVE, add_binding, set_binding_state
from host_agent.store.context import ContextEntry, add_context_entry
from host_agent.store.coverage import Coverage
from host_agent.store.db import Store
from host_agent.store.devices import ensure_device
from host_agent.store.journals import open_journal
from host_agent.store.outbox import deliveries
from host_agent.store.rows import Journal
from host_agent.store.time_marks import Mark, keep_mark
from host_agent.sync.client import may_alarm
from host_agent.sync.commit import commit_records
from host_agent.sync.intake import unpack
from host_agent.sync.live import Hooks, LiveViews, live_text, live_values
from host_agent.sync.verify import Verifier
from tools.lab.fuzz import decoders
from tools.lab.fuzz.commands import type_all
from tools.lab.fuzz.extremes import below, field, integer, mutated, noise, pick

HOSTILE, HONEST = b"\xfe" * 8, b"\x01" * 8
_WORLD_CASES = 2000
_BLOCKS_IN_COMMIT = 4
_HOUR_MS = 3_600_000


class LogTracebacks(logging.Handler):
    """Collects what the agent would have written to its log as a traceback."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            last = traceback.extract_tb(error.__traceback__)[-1]
            self.seen.append(f"{record.getMessage()}: {error!r} at {Path(last.filename).name}:{last.lineno}")


class Bedside:
    """A state folder with both wearables bound."""

    def __init__(self, home: Path, clock: Clock | None = None) -> None:
        self.home = home
        self.clock = clock or RealClock()
        self.store = Store(home / "cytowatch.db")
        self.escalation = Escalation([Target("ward", True)], link_utc_ms=self.clock.utc_ms)
        self.verifier = Verifier()
        self.live = LiveViews(
            self.clock, Hooks(lambda: None, lambda view: None, lambda *about: None, lambda *about: None)
        )
        self.journals: dict[bytes, Journal] = {}
        self.coverage = {device_id: Coverage() for device_id in (HOSTILE, HONEST)}
        self.next_seq = {HOSTILE: 1, HONEST: 1}
        self.t_ms = 60_000
        self.store.write_now(self._people)
        for device_id in (HOSTILE, HONEST):
            self.journals[device_id] = self.store.write_now(partial(self._bind, device_id=device_id))

    def _people(self, tx: Any) -> None:
        add_row(tx, AuditRow(1, "account", "account-1", b"{}", bytes(64), bytes(32), self.clock.utc_ms()))
        add_account(tx, Account("nurse-1", "nurse", bytes(8), bytes(32), 1, False))

    def _bind(self, tx: Any, device_id: bytes) -> Journal:
        now_ms = self.clock.utc_ms()
        device = ensure_device(tx, device_id, now_ms, "")
        patient = f"P-{device}"
        profile = f"age_years=54\npatient={patient}\nsite=axilla\n"
        since_ms = now_ms - _HOUR_MS
        binding = add_binding(tx, device, device_id, patient=patient, profile=profile, utc_ms=since_ms)
        set_binding_state(tx, binding, ACTIVE)
        number = 1 + device
        add_row(tx, AuditRow(number, "context", f"entry-{device}", b"{}", bytes(64), bytes(32), now_ms))
        entry = ContextEntry(
            number, f"entry-{device}", binding, device_id, "nurse-1", "nurse", since_ms, since_ms, None, False
        )
        add_context_entry(tx, entry, {"blood_pressure": '"hypotension"', "oxygen": '"face_mask"', "ice": "9"})
        keep_mark(tx, device, Mark(1, 0, now_ms - _HOUR_MS, 1000, True, 0x11), "live")
        return open_journal(tx, device, device_id, device_id, now_ms).journal

    def commit(self, device_id: bytes, raws: list[bytes]) -> None:
        """What the sync engine does with BLOCK messages."""
        journal = self.journals[device_id]
        items = [item for raw in raws for item in unpack(wire.Block(raw), journal.journal_id, {})]
        done = self.store.write_now(
            lambda tx: commit_records(
                tx, self.escalation, journal=journal, coverage=self.coverage[device_id], items=items, failure=None,
                now_ms=self.clock.utc_ms,
            )
        )  # fmt: skip
        self.journals[device_id], self.coverage[device_id] = done.journal, done.coverage
        self.live.on_committed(done.journal, done)
        while self.store.write_now(
            lambda tx: self.verifier.advance(
                tx, self.escalation, done.journal.id, utc_ms=self.clock.utc_ms(), limit=300
            )
        ):
            pass

    def look(self) -> None:
        """What the agent's checks do."""
        parts = CheckParts(self.store, self.escalation, self.clock)
        limits = Limits(**WatchdogSection().model_dump())
        heard = partial(self.live.heard, (HOSTILE, HONEST))
        for check in (
            SilenceCheck(parts, limits, heard=heard),
            PromptCheck(parts),
            ContradictingTimeCheck(parts),
        ):
            asyncio.run(check.look())

    def honest_alarm(self) -> bool:
        """The honest wearable raises FEVER HIGH; whether its receiver gets it."""
        state = alarms.encode_state(alarms.new_state(), 0)
        record = record_types.Alarm(
            rules.rule_hash(rules.DEFAULT), ((codes.FEVER, 3),), bytes(alarm_state.INPUTS_SIZE), state, 0
        )
        row = (self.t_ms, record_layout.ALARM, record_types.encode(record))
        self.commit(HONEST, [block_writer.encode_events(HONEST, 1, self.next_seq[HONEST], [row])])
        self.next_seq[HONEST] += 1
        keys = self.store.read_now(lambda tx: [one.event_key for one in deliveries(tx)])
        return any(key.startswith(HONEST.hex()) and key.endswith(f"-alarm-{codes.FEVER}") for key in keys)


STATES = [
    grader_state.encode_state(grader_state.new_state(), 1000),
    alarm_state.encode_state(alarm_state.new_state(), 1000),
    bytes(alarm_state.INPUTS_SIZE),
    bytes(range(15)),
]


def hostile_block(side: Bedside) -> tuple[bytes, int]:
    """A block of the hostile wearable, and how many records it holds."""
    seq = side.next_seq[HOSTILE]
    boot = pick((1, 1, 1, 1, 2, 2**32 - 1))
    side.t_ms += pick((10_000, 10_000, 1, 0, 1000))
    t_ms = side.t_ms if below(20) else integer(6) % (block_layout.T_LIMIT - 10**7)
    flags = pick((0, 0, 1))
    if below(3) == 0:
        rows = [decoders.reading(t_ms + at * pick((10_000, 1, 0))) for at in range(pick((1, 2, 30)))]
        raw = block_writer.encode_readings(HOSTILE, boot, seq, rows, flags)
    elif below(60) == 0:
        raw = block_writer.seal(
            HOSTILE, below(16), below(16), below(16), 1 + below(255), boot, seq, t_ms, noise(1 + below(40))
        )
    else:
        rows = [(t_ms + at, *event()) for at in range(pick((1, 1, 2, 20)))]
        while sum([len(row[2]) + 12 for row in rows]) > block_layout.BLOCK_MAX - block_layout.OVERHEAD:
            rows.pop()
        raw = block_writer.encode_events(HOSTILE, boot, seq, rows, flags)
    count = raw[3]
    side.next_seq[HOSTILE] = seq + count
    return raw, count


def event() -> tuple[int, bytes]:
    """(type, payload) of one event: every type, its fields drawn one by one."""
    kind = pick(
        (*record_layout.LAYOUTS, record_layout.ALARM, record_layout.GRADE, record_layout.TIME_MARK, 0, 200)
    )
    layout = record_layout.LAYOUTS.get(kind)
    if layout is None:
        return kind, noise(below(60))
    payload = record_writer.write(kind, *[field(letter, STATES) for letter in layout])
    return kind, (payload if below(8) else mutated(payload))[:3000]


def hostile_message(side: Bedside) -> None:
    """One message outside the journal, the way the client and the engine take it."""
    try:
        message = wire.decode(decoders.messages())
    except CoreError:
        return
    try:
        check_message(message)
    except CoreError as error:
        side.live.on_not_understood(HOSTILE, str(error.args[0]), may_alarm(message))
        return
    if isinstance(message, wire.Live):
        side.live.on_live(HOSTILE, message)
        json.dumps(live_values(message))
        live_text(message, True)
    elif isinstance(message, wire.Alarm):
        side.live.on_doorbell(HOSTILE, message)
    elif isinstance(message, wire.StatusIs):
        side.live.on_status(HOSTILE, message)
        side.live.view(HOSTILE).battery.values()


def _nothing(*_: Any) -> None:
    """A bound that an older version did not have."""


def older_version() -> Any:
    """While this holds, absurd values are taken for true, as before there were bounds: what old stores may hold."""
    stack = contextlib.ExitStack()
    for name in ("check_record", "check_block"):
        stack.enter_context(mock.patch.object(record_bounds, name, _nothing))
    return stack


def run_world(
    folder: Path, cases: int, found: collections.Counter[str], log: LogTracebacks, *, old: bool
) -> int:
    """Fill one folder with at least `cases` records, look, type every command; returns the number of records.

    `old`: the records come in as an older version stored them. What that version would have written to its log does
    not count, and everything that reads them afterwards does.
    """
    home = folder / "home"
    home.mkdir()
    side = Bedside(home)
    done = 0
    try:
        while done < cases:
            raws = []
            for _ in range(1 + below(_BLOCKS_IN_COMMIT)):
                raw, count = hostile_block(side)
                raws.append(raw)
                done += count
            with older_version() if old else contextlib.nullcontext():
                _count(found, "commit", lambda raws=raws: side.commit(HOSTILE, raws))  # type: ignore[misc]
            for _ in range(3):
                _count(found, "message", lambda: hostile_message(side))
        if old:
            log.seen.clear()
        honest = decoders.Reading(
            side.t_ms, 3700, 970, 80, 150, units.make_status(units.SITE_AXILLA, 0, 0, 1)
        )
        _count(
            found,
            "honest",
            lambda: side.commit(HONEST, [block_writer.encode_readings(HONEST, 1, 1, [honest])]),
        )
        side.next_seq[HONEST] = 2
        if not side.honest_alarm():
            found["the honest wearable's alarm did not come"] += 1
        _count(found, "checks", side.look)
    finally:
        side.store.close()
    for typed in type_all(home, folder):
        if typed.is_bug:
            found[f"{' '.join(typed.arguments)}: {(typed.out + typed.err)[-200:]}"] += 1
        if "cannot be shown" in typed.err and HONEST.hex() in typed.err:
            found[f"{' '.join(typed.arguments)}: the honest wearable is not shown"] += 1
        if typed.arguments == ("status",) and f"Wearable {HONEST.hex()}" not in typed.out:
            found["status: the honest wearable has no line"] += 1
    return done


def _count(found: collections.Counter[str], where: str, work: Any) -> None:
    try:
        work()
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        name = "StoreError" if isinstance(error, StoreError) else type(error).__name__
        found[f"{where}: {name}: {str(error)[:100]} at {Path(last.filename).name}:{last.lineno}"] += 1


def main(seed: int, cases: int) -> int:
    """Run until so many records were read; prints one line of counts, and returns how many faults there were."""
    random.seed(seed)
    found: collections.Counter[str] = collections.Counter()
    log = LogTracebacks()
    logging.getLogger().addHandler(log)
    done = worlds = 0
    try:
        while done < cases:
            with tempfile.TemporaryDirectory() as folder:
                size = min(_WORLD_CASES, cases // 2 or 1, cases - done)
                done += run_world(Path(folder), size, found, log, old=bool(worlds % 2))
                worlds += 1
                found.update(f"log: {text}" for text in log.seen)
                log.seen.clear()
    finally:
        logging.getLogger().removeHandler(log)
    for text, number in found.most_common(40):
        print(f"{number} x {text}")
    print(f"records, seed {seed}: {done} records, {sum(found.values())} faults")
    return sum(found.values())
