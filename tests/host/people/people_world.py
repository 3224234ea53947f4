"""A bound wearable in a real store, with a clinician, a nurse and a caregiver who hold real keys."""

from pathlib import Path
from typing import Any

from host_agent.people import admission, composing
from host_agent.people.account_key import Signer, new_signer
from host_agent.people.admission import Taken
from host_agent.people.asking import Wearer, find_wearer
from host_agent.people.context_state import in_force
from host_agent.store.db import Store
from host_agent.store.devices import ensure_device

NOW_MS = 1_800_000_000_000
MIN_MS = 60_000
HOUR_MS = 3_600_000
PROFILE = "age_years=54\npatient=P-1\nsite=axilla\nsystolic_mmhg=130\n"
BINDINGS = {"P-1": b"BINDING1", "P-2": b"BINDING2"}
OLD_BINDING = b"BINDING0"


class PeopleWorld:
    """Two wearables with a patient each. `now_ms` is the agent's time; tests move it."""

    def __init__(self, folder: Path, *, with_people: bool = True) -> None:
        self.store = Store(folder / "c.db")
        self.now_ms = NOW_MS
        self.store.write_now(self._bind)
        self.doctor, self.second = new_signer("clinician-1"), new_signer("clinician-2")
        self.nurse, self.carer = new_signer("nurse-1"), new_signer("caregiver-1")
        if with_people:
            self.add(self.doctor, "clinician", by=self.doctor)
            for signer, role in (
                (self.second, "clinician"),
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

    def wearer(self, patient: str = "P-1") -> Wearer:
        found = self.store.read_now(lambda tx: find_wearer(tx, "p.pseudonym = ?", patient))
        assert found is not None
        return found

    def compose(
        self, signer: Signer, kind: str, values: dict[str, Any], **change: Any
    ) -> tuple[bytes, bytes]:
        """(bytes, signature) of an entry made now; `ago_ms`, `refers_to` and `patient` as wanted."""
        patient = change.pop("patient", "P-1")
        wearer = self.wearer(patient) if patient else None
        opening = self.store.read_now(lambda tx: admission.opening(tx, wearer, self.now_ms))
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

    def waiting(self) -> list[Any]:
        """What waits for the wearable of P-1."""
        from host_agent.people import outgoing

        return self.store.read_now(lambda tx: outgoing.waiting(tx, 1))

    def refused(self) -> dict[str, int]:
        """Counted refusals by reason."""
        rows = self.query("SELECT name, value FROM counters WHERE name LIKE 'entry_refused_%'")
        return {name.removeprefix("entry_refused_"): value for name, value in rows}

    def query(self, sql: str, *values: Any) -> list[Any]:
        return self.store.read_now(lambda tx: tx.execute(sql, values).fetchall())
