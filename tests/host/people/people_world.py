"""A bound wearable in a real store, with a clinician, a nurse and a caregiver who hold real keys."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from host_agent.people import administrator, admission, composing
from host_agent.people.account_key import Signer, new_signer
from host_agent.people.admission import Taken
from host_agent.people.asking import WHY, EntryRefused, wearers
from host_agent.people.context_state import in_force
from host_agent.people.outgoing import numbers_in
from host_agent.store import outgoing
from host_agent.store.bindings import Binding
from host_agent.store.db import Store
from host_agent.store.devices import ensure_device

NOW_MS = 1_800_000_000_000
MIN_MS = 60_000
HOUR_MS = 3_600_000
PROFILE = "age_years=54\npatient=P-1\nsite=axilla\nsystolic_mmhg=130\n"
BINDINGS = {"P-1": b"BINDING1", "P-2": b"BINDING2"}
OLD_BINDING = b"BINDING0"
TABLES = (
    "audit", "accounts", "context_entries", "context_values", "signed_records", "context_outgoing", "rule_sets",
    "patient_limits",
)  # fmt: skip


@functools.cache
def _one_code() -> tuple[dict[str, str], Signer]:
    """Values of the entry and signer of one code for every world: a code costs a second of stretching."""
    code, values = administrator.make_code()
    return values, administrator.signer_from(values, code)


class PeopleWorld:
    """Two wearables with a patient each. `now_ms` is the agent's time; tests move it."""

    def __init__(self, folder: Path, *, with_people: bool = True) -> None:
        self.store = Store(folder / "c.db")
        self.now_ms = NOW_MS
        self.store.write_now(self._bind)
        self.doctor, self.second = new_signer("clinician-1"), new_signer("clinician-2")
        self.administrator = self.doctor  # until the code is made, with the people
        self.nurse, self.carer = new_signer("nurse-1"), new_signer("caregiver-1")
        if with_people:
            self.add(self.doctor, "clinician", by=self.doctor)
            self.administrator = self.make_administrator()
            self.add(self.second, "clinician", by=self.administrator)
            for signer, role in (
                (self.nurse, "nurse"),
                (self.carer, "caregiver"),
            ):
                self.add(signer, role)

    def _bind(self, tx: Any) -> None:
        for number, (patient, binding_id) in enumerate(BINDINGS.items(), 1):
            device = ensure_device(tx, bytes([number]) * 8, NOW_MS)
            tx.execute("INSERT INTO patients VALUES (?, ?, ?, 0)", (number, patient, PROFILE))
            tx.execute(
                "INSERT INTO bindings VALUES (?, ?, ?, ?, ?, 'active', 0, NULL, '')",
                (number, binding_id, number, device, PROFILE),
            )
        tx.execute("INSERT INTO bindings VALUES (9, ?, 1, 1, ?, 'ended', 0, 1, '')", (OLD_BINDING, PROFILE))

    def add(self, signer: Signer, role: str, by: Signer | None = None) -> Taken:
        values = {"name": signer.name, "role": role, "public_key": signer.public_key.hex()}
        return self.sign(by or self.doctor, "account_add", values, patient=None)

    def make_administrator(self) -> Signer:
        """Make the administrator code; it signs for the second clinician and for nobody else."""
        values, signer = _one_code()
        self.sign(self.doctor, "administrator", values, patient=None)
        return signer

    def vouch(self, signer: Signer, by: Signer) -> Taken:
        values = {"name": signer.name, "public_key": signer.public_key.hex()}
        return self.sign(by, "vouch", values, patient=None)

    def wearer(self, patient: str = "P-1") -> Binding:
        return next(one for one in self.store.read_now(wearers) if one.patient == patient)

    def compose(
        self, signer: Signer, kind: str, values: dict[str, Any], **change: Any
    ) -> tuple[bytes, bytes]:
        """(bytes, signature) of an entry made now; `ago_ms`, `refers_to` and `patient` as wanted."""
        patient = change.pop("patient", "P-1")
        wearer = self.wearer(patient) if patient else None
        opening = self.store.read_now(lambda tx: admission.begin(tx, wearer, self.now_ms))
        observed_utc_ms = change.pop("observed_utc_ms", self.now_ms - change.pop("ago_ms", 0))
        return composing.compose(opening, signer, kind, values, observed_utc_ms=observed_utc_ms, **change)

    def take(self, raw: bytes, signature: bytes) -> Taken:
        return admission.take_now(self.store, raw, signature, self.now_ms)

    def sign(self, signer: Signer, kind: str, values: dict[str, Any], **change: Any) -> Taken:
        return self.take(*self.compose(signer, kind, values, **change))

    def enter(self, signer: Signer, ago_ms: int = 0, corrects: str | None = None, **values: Any) -> Taken:
        """One context entry about P-1, whose time moves on by a second."""
        self.now_ms += 1000
        if corrects is None:
            return self.sign(signer, "context", values, ago_ms=ago_ms)
        observed = self.query("SELECT observed_utc_ms FROM context_entries WHERE entry_id = ?", corrects)[0][
            0
        ]
        return self.sign(signer, "context", values, observed_utc_ms=observed, refers_to=corrects)

    def state(self) -> dict[str, Any]:
        """Key → value in force for P-1, expired ones too."""
        return {key: held.value for key, held in self.store.read_now(lambda tx: in_force(tx, 1)).items()}

    def queued(self) -> list[outgoing.Outgoing]:
        """What waits for the wearable of P-1."""
        return self.store.read_now(lambda tx: outgoing.waiting(tx, 1))

    def waiting(self) -> list[dict[int, int | None]]:
        """The numbers that wait for the wearable of P-1, entry by entry."""
        return [numbers_in(item) for item in self.queued()]

    def refused(self) -> dict[str, int]:
        """Counted refusals by reason."""
        rows = self.query("SELECT name, value FROM counters WHERE name LIKE 'entry_refused_%'")
        return {name.removeprefix("entry_refused_"): value for name, value in rows}

    def refuses(self, why: str, take: Callable[[], Any], match: str | None = None) -> None:
        """`take` raises EntryRefused for this reason, it is counted once more, and no table of entries grows."""
        before = [self.query(f"SELECT count(*) FROM {table}") for table in TABLES]
        counted = self.refused().get(why, 0)
        with pytest.raises(EntryRefused, match=match) as caught:
            take()
        assert caught.value.why == why and caught.value.advice == WHY[why]
        assert self.refused()[why] == counted + 1
        assert [self.query(f"SELECT count(*) FROM {table}") for table in TABLES] == before

    def refuses_entry(
        self,
        why: str,
        signer: Signer,
        kind: str,
        values: dict[str, Any],
        match: str | None = None,
        **change: Any,
    ) -> None:
        """An entry made now by this signer is refused."""
        made = self.compose(signer, kind, values, **change)
        self.refuses(why, lambda: self.take(*made), match)

    def query(self, sql: str, *values: Any) -> list[Any]:
        return self.store.read_now(lambda tx: tx.execute(sql, values).fetchall())
