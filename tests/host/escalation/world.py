"""One bound wearable over a real store: commit records as the sync engine does, and look at what was derived."""

import json
from pathlib import Path
from typing import Any

from crs_core import codes
from crs_core.grade import alarms, rules
from crs_core.journal import block_layout, block_reader, block_writer, record_types

from host_agent.escalation.derive import Escalation, Target
from host_agent.store.coverage import Coverage
from host_agent.store.db import Store
from host_agent.store.devices import ensure_device
from host_agent.store.insertion import IncomingBlock, Insertion
from host_agent.store.journals import journal_by_id, open_journal

DEVICE_ID = bytes.fromhex("c0ffee0011223344")
JOURNAL_ID = b"JOURNAL1"
BINDING_ID = b"BINDING1"
RULE_HASH = rules.rule_hash(rules.DEFAULT)
NOW_MS = 1_700_000_000_000
BOOT_UTC_MS = NOW_MS - 3_600_000
SETTINGS = "device_name=Bed 3\nemergency_number=112\npatient_call_number=555-0100\nsite=axilla\n"
PROFILE = "age_years=54\ninfusion_date=2023-11-10\npatient=P-1\nsite=axilla\n"


def state_with(**active: int) -> bytes:
    """An encoded alarm state in which the named alarms are active, e.g. FEVER=2."""
    from crs_core.grade import alarm_state

    state = alarms.new_state()
    for name, priority in active.items():
        state[alarm_state.PRIORITIES] |= priority << 2 * getattr(codes, name)
    return alarms.encode_state(state, 0)


def alarm_record(before: dict[str, int], inputs: bytes | None = None, **changes: int) -> Any:
    """An ALARM record: `before` active, then these changes (0 = ended); `inputs` as the wearable saw them."""
    pairs = tuple((getattr(codes, name), priority) for name, priority in changes.items())
    return record_types.Alarm(RULE_HASH, pairs, inputs or bytes(alarms_inputs()), state_with(**before), 0)


def alarms_inputs() -> bytes:
    from crs_core.grade.alarm_state import INPUTS_SIZE

    return bytes(INPUTS_SIZE)


def grade_record(lower: int | None, upper: int | None = 4, **change: Any) -> Any:
    """A GRADE record of ASTCT 2019."""
    usual = record_types.Grade(
        codes.SCALE_ASTCT, 2019, RULE_HASH, lower, upper, codes.FEVER_MET, codes.PROVISIONAL,
        (codes.R_FEVER_MET,), (codes.MISSING_BLOOD_PRESSURE, codes.MISSING_OXYGEN), 1000, None, b"",
    )  # fmt: skip
    return usual._replace(**change)


class World:
    """`targets` as in the configuration: ward takes no simulations, study does."""

    def __init__(self, folder: Path, *, bound: bool = True, agent_simulated: bool = False) -> None:
        self.store = Store(folder / "c.db")
        self.escalation = Escalation(
            [Target("ward", False), Target("study", True)],
            link_utc_ms=lambda: NOW_MS + 5,
            agent_simulated=agent_simulated,
        )

        def set_up(tx: Any) -> Any:
            device = ensure_device(tx, DEVICE_ID, NOW_MS, "bed 7")
            tx.execute("UPDATE devices SET settings = ?", (SETTINGS,))
            if bound:
                tx.execute("INSERT INTO patients VALUES (1, 'P-1', ?, 0)", (PROFILE,))
                tx.execute(
                    "INSERT INTO bindings VALUES (1, ?, 1, ?, ?, 'active', 0, NULL, '')",
                    (BINDING_ID, device, PROFILE),
                )
            tx.execute(
                "INSERT INTO time_marks VALUES (?, 1, 0, 'journal', ?, 40, NULL, 0)", (device, BOOT_UTC_MS)
            )
            return open_journal(tx, device, JOURNAL_ID, BINDING_ID if bound else bytes(8), NOW_MS).journal

        self.journal = self.store.write_now(set_up)
        self.coverage = Coverage()
        self.next_seq = 1

    def block(
        self, *events: Any, seq: int | None = None, simulated: bool = False, t_ms: int = 60_000
    ) -> IncomingBlock:
        """One event block as it comes from the wire."""
        first = self.next_seq if seq is None else seq
        rows = [
            (t_ms + i, record_types.type_of(event), record_types.encode(event))
            for i, event in enumerate(events)
        ]
        raw = block_writer.encode_events(
            JOURNAL_ID, 1, first, rows, block_layout.FLAG_SIMULATED if simulated else 0
        )
        self.next_seq = max(self.next_seq, first + len(events))
        header, content = block_reader.decode(raw, JOURNAL_ID)
        return IncomingBlock(header, raw, content)

    def commit(self, *events: Any, **options: Any) -> None:
        """Store one block and derive from it in the same transaction."""
        received_ms = options.pop("received_ms", NOW_MS)
        item = self.block(*events, **options)

        def insert(tx: Any) -> Any:
            insertion = Insertion(tx, journal_by_id(tx, self.journal.id), self.coverage, received_ms)
            insertion.block(item)
            done = insertion.finish()
            if done.journal.binding is not None:
                self.escalation.records(tx, done.journal, done.records)
            return done

        done = self.store.write_now(insert)
        self.coverage = done.coverage

    def outbox(self, target: str = "study") -> list[dict[str, Any]]:
        """Payloads of one target, oldest first."""
        return [
            json.loads(row[0])
            for row in self.query("SELECT payload FROM outbox WHERE target = ? ORDER BY id", target)
        ]

    def told(self) -> list[tuple[str, str]]:
        """(name, priority) of what the study target is told."""
        return [(event["name"], event["priority"]) for event in self.outbox()]

    def query(self, sql: str, *values: Any) -> list[Any]:
        return self.store.read_now(lambda tx: tx.execute(sql, values).fetchall())
