"""The calibration that a wearable journaled at the start of each boot, as data and as one line for people.

A calibration changes only at a start (PROTOCOL.md, CALIBRATION), so a reading has the calibration of its boot in its
journal. Where none is stored, none is assumed: the calibration and the chip's own temperature are then not known.
"""

from typing import Any, NamedTuple

from crs_core import calibration
from crs_core.errors import RemoteError
from crs_core.journal import record_layout

from host_agent.store.db import Tx
from host_agent.store.events import events
from host_agent.store.journals import journal_by_id
from host_agent.store.rows import StoredEvent
from host_agent.sync.device_text import clean

_FIRST_OWN_ID = 1000


class SensorCalibration(NamedTuple):
    """What a wearable reported about its calibration; `text` is cleaned for a screen, "" when only the id is known."""

    id: int
    text: str

    @property
    def own(self) -> Any:
        """The crs_core.calibration.Calibration measured on this device; None: built in, or not understood."""
        try:
            found = calibration.parse(self.text)
        except RemoteError:
            return None
        return found if calibration.id_of(self.text) == self.id else None

    @property
    def temp_offset_cc(self) -> int | None:
        """Hundredths of a °C added to the chip's temperature; None when not known."""
        if self.id < _FIRST_OWN_ID:
            return 0
        own = self.own
        return None if own is None else int(own.temp)

    @property
    def words(self) -> str:
        """Provenance and date in one line."""
        if self.id < _FIRST_OWN_ID:
            name = calibration.BUILT_IN[self.id][1] if self.id in calibration.BUILT_IN else self.text
            return f"not calibrated for this device: {name.split(':')[0] or f'curve {self.id}'}"
        own = self.own
        if own is None:
            return f"calibration {self.id}, not understood by this version: {self.text or 'no text'}"
        spo2 = (
            f"SpO2 ARMS {own.spo2_arms / 100:.2f} % over {own.spo2_n} pairs"
            if own.spo2_n
            else "SpO2 not calibrated for this device: AN6845"
        )
        temperature = (
            f"temperature {own.temp / 100:+.2f} °C over {own.temp_n} pairs (SD {own.temp_sd / 100:.2f} °C)"
            if own.temp_n
            else "temperature not calibrated for this device"
        )
        return f"calibration {self.id} of {own.date}: {spo2}; {temperature}; by {own.by}"

    def fields(self) -> dict[str, Any]:
        """The calibration as fields of a JSON answer."""
        own = self.own
        return {
            "id": self.id, "text": self.text, "is_own": self.id >= _FIRST_OWN_ID,
            "date": own.date if own else None, "temp_offset_cc": self.temp_offset_cc, "words": self.words,
        }  # fmt: skip


def calibration_in(event: StoredEvent) -> SensorCalibration | None:
    """The calibration in a CALIBRATION or SETTINGS record; None for any other or a malformed one."""
    record: Any = event.record if event.type in (record_layout.CALIBRATION, record_layout.SETTINGS) else None
    if record is None or record.calibration_id == 0:  # 0: nothing measures
        return None
    text = clean(record.text.encode()) if event.type == record_layout.CALIBRATION else ""
    return SensorCalibration(record.calibration_id, text)


class Calibrations:
    """`of(journal, boot)` of the readings; one query for each journal that is asked for."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._by_journal: dict[int, dict[int, list[tuple[int, SensorCalibration]]]] = {}

    def of(self, journal: int, boot: int) -> SensorCalibration | None:
        """The calibration of a boot in a journal (row ids) or the branches below it; None: not known."""
        limit: int | None = None
        row: int | None = journal
        while row is not None:
            for seq, found in self._boots(row).get(boot, []):
                if limit is None or seq <= limit:
                    return found
            row, limit = self._below(row, limit)
        return None

    def newest(self, journal: int) -> SensorCalibration | None:
        """The last calibration in a journal or in the branches below it."""
        limit: int | None = None
        row: int | None = journal
        while row is not None:
            known = [
                (seq, boot)
                for boot, rows in self._boots(row).items()
                for seq, _ in rows
                if limit is None or seq <= limit
            ]
            if known:
                return self.of(journal, max(known)[1])
            row, limit = self._below(row, limit)
        return None

    def _below(self, row: int, limit: int | None) -> tuple[int | None, int]:
        journal = journal_by_id(self._tx, row)
        return journal.parent, journal.base_seq if limit is None else min(limit, journal.base_seq)

    def _boots(self, row: int) -> dict[int, list[tuple[int, SensorCalibration]]]:
        """Boot → (seq, SensorCalibration), CALIBRATION records before SETTINGS, which older firmware wrote alone."""
        if row not in self._by_journal:
            boots: dict[int, list[tuple[int, SensorCalibration]]] = {}
            for kind in (record_layout.CALIBRATION, record_layout.SETTINGS):
                for event in events(self._tx, row, kind):
                    found = calibration_in(event)
                    if found is not None:
                        boots.setdefault(event.boot, []).append((event.seq, found))
            self._by_journal[row] = boots
        return self._by_journal[row]
