"""Which rows of `history` are about one patient: by their name, their journal, or their wearable and time."""

from typing import Any

from host_agent.errors import HostAgentError
from host_agent.store.bindings import bindings
from host_agent.store.db import Tx
from host_agent.store.journals import all_journals
from host_agent.text import utc_ms_of_iso


class OfPatient:
    """`row in OfPatient(tx, "P-1")`. HostAgentError when nobody of that name was ever bound here."""

    def __init__(self, tx: Tx, patient: str) -> None:
        found = [one for one in bindings(tx) if one.patient == patient]
        if not found:
            raise HostAgentError(
                f"No patient {patient} was ever bound here.", "See who was: cytowatch history --kind bindings"
            )
        self._patient = patient
        rows = {one.row for one in found}
        self._journals = {one.journal_id.hex() for one in all_journals(tx) if one.binding in rows}
        self._spans = [(one.device_id.hex(), one.started_utc_ms, one.ended_utc_ms) for one in found]

    def __contains__(self, row: dict[str, Any]) -> bool:
        if row.get("patient") is not None:
            return bool(row["patient"] == self._patient)
        if row.get("journal_id") is not None:
            return row["journal_id"] in self._journals
        at_ms = utc_ms_of_iso(row["at"]) if row.get("at") else None
        return at_ms is not None and any(
            row.get("device_id") == device and start <= at_ms and (end is None or at_ms <= end)
            for device, start, end in self._spans
        )
