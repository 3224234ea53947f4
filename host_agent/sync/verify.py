"""Re-run every decision of a wearable from what it journaled; a disagreement is stored and alarms.

Each ALARM record stands alone: state before, inputs, changes, CRC of the state after. Grade steps form a chain over
the readings: it starts at a state record, runs on exactly as the wearable did, and after a hole waits for the next
state record. Runs behind the commits, restartable: its position and state are rows of the journal.
"""

import asyncio
import contextlib
import json
import logging
from binascii import crc32
from collections.abc import Callable
from functools import partial
from typing import Any

from crs_core import codes, context
from crs_core.errors import CoreError
from crs_core.grade import alarm_state, bedside, entry_numbers, grader, grader_state, rerun, rules
from crs_core.grade.assessment import Assessment
from crs_core.journal import record_layout
from crs_core.units import Reading

from host_agent.errors import StoreError
from host_agent.store.db import Store, Tx
from host_agent.store.events import decode_event, events_between
from host_agent.store.host_alarms import raise_alarm
from host_agent.store.readings import readings_between
from host_agent.store.rechecks import Disagreement, keep_disagreements, position, set_position
from host_agent.store.rows import Derivation, Journal

_LOG = logging.getLogger(__name__)
_READING = -1  # stands for the event type in the merged walk
_STATEFUL = (record_layout.BOOT, record_layout.GRADE, record_layout.GRADER_STATE, record_layout.ALARM)
_ENTERED = (record_layout.CONTEXT, record_layout.BUTTON)
_OWN_RULES = rules.rule_hash(rules.DEFAULT)
_VERIFY_CHUNK = 300  # sequences; some milliseconds, so that an alarm's commit never waits long


class Chain:
    """The grader's chain over one journal. Feed rows in sequence order; `found` collects what disagrees."""

    def __init__(self, rules_by_hash: dict[bytes, Any]) -> None:
        self._rules_by_hash = rules_by_hash
        self.found: list[Disagreement] = []
        self._unknown_rules: set[bytes] = set()
        self._rules: Any = None
        self._rule_hash = b""
        self._state: list[Any] | None = None  # None: wait for a state record
        # what the last GRADE said; None: not known since a boot or hole
        self._reported: tuple[Any, ...] | None = None
        self._last: Any = None  # the newest Assessment
        self._owed_seq = 0  # a reading whose changed assessment has no GRADE yet

    def lose(self) -> None:
        """A hole in the sequence: nothing is known until the next state record."""
        self._state = self._reported = self._last = None
        self._owed_seq = 0

    def give_up(self, seq: int, why: str) -> None:
        """A record that cannot be re-run at all."""
        self.lose()
        self._disagree(seq, "malformed", why, "cannot be re-run")

    def reading(self, seq: int, reading: Any) -> None:
        """One journaled reading of a bound wearable."""
        self._settle_debt()
        if self._state is None:
            return
        self._state, assessment = grader.step(self._state, reading, reading.t_ms, self._rules)
        self._last = assessment
        if self._reported is not None and _reported(assessment) != self._reported:
            self._owed_seq = seq

    def event(self, seq: int, t_ms: int, kind: int, record: Any) -> None:
        """One event; types that hold no state are ignored."""
        if kind in _ENTERED and record is not None and self._state is not None:
            self._settle_debt()
            self._enter(seq, t_ms, kind, record)
        if kind not in _STATEFUL:
            return
        if kind != record_layout.GRADE:
            self._settle_debt()
        if record is None:
            self.lose()
            self._disagree(
                seq, "malformed", f"a record of type {kind} that cannot be read", "cannot be re-run"
            )
            return
        if not self._use_rules(seq, record.rule_hash):
            self.lose()
            return
        try:
            if kind == record_layout.ALARM:
                self._alarm(seq, t_ms, record)
            elif kind == record_layout.GRADE:
                self._grade(seq, t_ms, record)
            elif kind == record_layout.BOOT:
                self.lose()
                if record.grader_state:
                    self._state = grader.decode_state(record.grader_state, t_ms)
            else:
                self._state_record(seq, t_ms, record)
        except CoreError as error:
            self.lose()
            self._disagree(seq, "malformed", str(error.args[0]), "cannot be re-run")

    def _enter(self, seq: int, t_ms: int, kind: int, record: Any) -> None:
        """An entry, or the patient's button: what changes the grader's state outside its steps."""
        if kind == record_layout.BUTTON:
            if record.kind == alarm_state.BUTTON_LONG and self._state[grader_state.TOLD]:  # type: ignore[index]
                self._state = bedside.doubt(self._state or [], t_ms)
            return
        try:
            age_ms, _, numbers = context.decode(record.data)
            self._state = bedside.enter(
                self._state or [], entry_numbers.values_of(numbers), t_ms - age_ms, self._rules
            )
        except CoreError as error:
            self.lose()
            self._disagree(seq, "malformed", str(error.args[0]), "cannot be re-run")

    def _alarm(self, seq: int, t_ms: int, record: Any) -> None:
        after, changes = rerun.alarm_step(record.state_before, record.inputs, t_ms, self._rules)
        claimed = sorted(tuple(change) for change in record.changes)
        computed = sorted(tuple(change) for change in changes)
        if claimed != computed:
            self._disagree(seq, "alarm", f"changes {claimed}", f"changes {computed}")
        elif crc32(after) != record.state_after_crc:
            self._disagree(seq, "alarm", f"state {record.state_after_crc:08x}", f"state {crc32(after):08x}")

    def _grade(self, seq: int, t_ms: int, record: Any) -> None:
        if self._state is not None and self._last is not None:
            claimed = (*_reported(record), record.temp_age_ms, record.ppg_age_ms)
            computed = (*_reported(self._last), self._last.temp_age_ms, self._last.ppg_age_ms)
            state = grader.encode_state(self._state, t_ms)
            if claimed != computed:
                self._disagree(seq, "grade", str(claimed), str(computed))
                self._state = None
            elif state != record.state_after:
                self._disagree(seq, "state", record.state_after.hex(), state.hex())
                self._state = None
        if self._state is None:
            self._state = grader.decode_state(record.state_after, t_ms)
        self._reported = _reported(record)
        self._owed_seq = 0

    def _state_record(self, seq: int, t_ms: int, record: Any) -> None:
        if self._state is not None:
            state = grader.encode_state(self._state, t_ms)
            if state == record.grader_state:
                return
            if record.reason != 3:  # a new binding starts from nothing: no disagreement
                self._disagree(seq, "state", record.grader_state.hex(), state.hex())
        self.lose()
        self._state = grader.decode_state(record.grader_state, t_ms)

    def _use_rules(self, seq: int, rule_hash: bytes) -> bool:
        if rule_hash == self._rule_hash:
            return True
        known = self._rules_by_hash.get(rule_hash)
        if known is None:
            if rule_hash not in self._unknown_rules:  # once per hash and run
                self._unknown_rules.add(rule_hash)
                names = ", ".join(h.hex() for h in self._rules_by_hash)
                self._disagree(seq, "rules", rule_hash.hex(), names, rule_hash)
            return False
        if self._rule_hash:
            self.lose()  # the state belongs to the other rules
        self._rules, self._rule_hash = known, rule_hash
        return True

    def _settle_debt(self) -> None:
        if self._owed_seq:
            self._disagree(self._owed_seq, "grade", "no change", str(_reported(self._last)))
            self._reported = _reported(self._last)
            self._owed_seq = 0

    def _disagree(self, seq: int, kind: str, device: str, host: str, rule_hash: bytes | None = None) -> None:
        self.found.append(Disagreement(seq, kind, device, host, rule_hash or self._rule_hash))

    def dump(self) -> bytes:
        """Everything needed to go on later, as bytes of this program's own."""
        last = list(self._last) if self._last is not None else None
        content = [_OWN_RULES.hex(), self._rule_hash.hex(), self._state, self._reported, last, self._owed_seq,
                   [h.hex() for h in self._unknown_rules]]  # fmt: skip
        return json.dumps(content).encode()

    def load(self, data: bytes | None) -> None:
        """Go on from `dump`; what another program version wrote is dropped: the next state record helps."""
        if data is None:
            return
        try:
            own, rule_hash, state, told, last, owed, unknown = json.loads(data)
        except (ValueError, TypeError):
            return
        if own != _OWN_RULES.hex():
            return
        self._rule_hash = bytes.fromhex(rule_hash)
        self._rules = self._rules_by_hash.get(self._rule_hash)
        self._unknown_rules = {bytes.fromhex(h) for h in unknown}
        if self._rules is None:
            self._rule_hash = b""
            return
        self._state, self._owed_seq = state, owed
        self._reported = None if told is None else (*told[:4], tuple(told[4]), tuple(told[5]))
        if last is not None:
            last[6], last[7] = tuple(last[6]), tuple(last[7])
            self._last = Assessment(*last)


class Verifier:
    """Advances the chains of journals in the store. `rules_by_hash`: every signed rule set that may be in use."""

    def __init__(self, rules_by_hash: dict[bytes, Any] | None = None) -> None:
        self.rules_by_hash = {_OWN_RULES: rules.DEFAULT, **(rules_by_hash or {})}

    def advance(self, tx: Tx, derive: Derivation, journal: int, *, utc_ms: int, limit: int) -> bool:
        """Re-run up to `limit` sequences of what is contiguous; True when more is waiting."""
        device, cursor, done, state = position(tx, journal)
        until = min(cursor, done + limit)
        if until <= done:
            return False
        chain = Chain(self.rules_by_hash)
        chain.load(state)
        expected = done + 1
        for seq, kind, t_ms, content in _walk(tx, journal, done, until):
            if seq != expected:
                chain.lose()
            expected = seq + 1
            try:
                if kind == _READING:
                    chain.reading(seq, content)
                else:
                    chain.event(seq, t_ms, kind, decode_event(kind, content))
            except Exception as error:  # one bad record harms one record
                _LOG.exception("record %d cannot be re-run", seq)
                chain.give_up(seq, type(error).__name__)
        if expected != until + 1:
            chain.lose()
        set_position(tx, journal, until, chain.dump())
        if chain.found:
            _keep(tx, derive, device=device, journal=journal, found=chain.found, utc_ms=utc_ms)
        return bool(until < cursor)


def _keep(
    tx: Tx, derive: Derivation, *, device: int, journal: int, found: list[Disagreement], utc_ms: int
) -> None:
    keep_disagreements(tx, journal, found, utc_ms)
    first = found[0]
    raise_alarm(
        tx, derive, device=device, alarm=codes.RECHECK_DISAGREES, priority=codes.PRIORITY_MEDIUM,
        detail=f"{len(found)} from sequence {first.seq}: {first.kind}; wearable {first.device_says},"
        f" host {first.host_says}",
        utc_ms=utc_ms,
    )  # fmt: skip


def _walk(tx: Tx, journal: int, after: int, until: int) -> list[tuple[int, int, int, Any]]:
    """(seq, type or _READING, t_ms, Reading or payload) in sequence order."""
    walk: list[tuple[int, int, int, Any]] = [
        (seq, _READING, values[0], Reading(*values))
        for seq, *values in readings_between(tx, journal, after, until)
    ]
    walk += events_between(tx, journal, after, until)
    walk.sort(key=lambda entry: entry[0])
    return walk


def _reported(assessment: Any) -> tuple[Any, ...]:
    """What makes the wearable write a GRADE when it changes; of an Assessment or a Grade record."""
    return (
        assessment.lower, assessment.upper, assessment.fever, assessment.status,
        tuple(assessment.reasons), tuple(assessment.missing),
    )  # fmt: skip


async def verify_behind(
    verifier: Verifier,
    store: Store,
    derive: Derivation,
    due: asyncio.Event,
    now: Callable[[], tuple[Journal | None, int]],
) -> None:
    """Re-run a wearable's decisions behind the commits, whenever `due`; a failed store waits for the next commit.

    `now` gives the journal and the time; a journal without a binding is not verified.
    """
    while True:
        await due.wait()
        due.clear()
        journal, utc_ms = now()
        if journal is None or journal.binding is None:
            continue
        with contextlib.suppress(StoreError):
            if await store.write(
                partial(
                    verifier.advance, derive=derive, journal=journal.id, utc_ms=utc_ms, limit=_VERIFY_CHUNK
                )
            ):
                due.set()
