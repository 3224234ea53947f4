"""Stored records as rows with wall time and values in JSON types, for `history` and `export`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

from crs_core import code_texts, codes, units
from crs_core.journal import record_layout, record_types

from host_agent.errors import HostAgentError
from host_agent.store.alarm_changes import alarm_changes
from host_agent.store.bindings import bindings
from host_agent.store.db import DatabaseError, Tx
from host_agent.store.devices import devices
from host_agent.store.events import events
from host_agent.store.gaps import gaps
from host_agent.store.grades import grades
from host_agent.store.host_alarms import host_alarms
from host_agent.store.journals import all_journals
from host_agent.store.readings import readings
from host_agent.store.retention import thinnings
from host_agent.store.rollups import BUCKET_MS, read_rollups
from host_agent.store.rows import Journal
from host_agent.sync.timebase import Timebase, load_timebase
from host_agent.text import (
    grade_text,
    iso_utc,
    local_of_iso,
    scale_name,
    site_name,
    utc_ms_of_iso,
)
from host_agent.views.act_rows import ActRow, act_rows, binding_rows
from host_agent.views.alarm_history import AlarmsTold
from host_agent.views.calibrations import Calibrations, SensorCalibration, calibration_in
from host_agent.views.context_rows import entry_rows, signed_rows
from host_agent.views.standing_rows import acceptance_rows, unbound_rows
from host_agent.views.told_rows import delivery_rows, told_rows

KINDS = (
    "readings",
    "grades",
    "alarms",
    "events",
    "gaps",
    "thinned",
    "restarts",
    "calibrations",
    "host_alarms",
    "deliveries",
    "told",
    "context",
    "signed",
    "acceptances",
    "acts",
    "bindings",
)
_CAUSES = {  # machine.reset_cause() of both ports
    1: "after power was lost", 2: "by a reset", 3: "by its watchdog", 4: "after deep sleep", 5: "by a soft reset",
}  # fmt: skip
_EVENT_NAMES = {kind: name for kind, (name, _) in record_types.TYPES.items()}


class Question(NamedTuple):
    """Which rows: UTC ms bounds (None: open), the start of a device id (None: all)."""

    from_ms: int | None
    to_ms: int | None
    device: str | None


class Dated(Protocol):
    """A record with its place in the journal and the wearable's own time."""

    @property
    def seq(self) -> int: ...
    @property
    def boot(self) -> int: ...
    @property
    def t_ms(self) -> int: ...
    @property
    def simulated(self) -> int: ...


D = TypeVar("D", bound=Dated)


class Answer:
    """Iterate `rows`; afterwards `undated` is how many rows were left out because their time is not known.

    `broken`: device id → why rows of this wearable are missing.
    """

    def __init__(self, tx: Tx, question: Question) -> None:
        self.undated = 0
        self.broken: dict[str, str] = {}
        self._tx = tx
        self._question = question
        self._timebases: dict[int, Timebase] = {}
        self._alarms_told = AlarmsTold(tx)
        self._devices = {
            one.id: one.device_id.hex()
            for one in devices(tx)
            if one.device_id.hex().startswith((question.device or "").lower())
        }
        self._journals = [journal for journal in all_journals(tx) if journal.device in self._devices]
        self._asked = list(self._devices)
        if question.device and len(self._devices) != 1:
            raise HostAgentError(
                f"{len(self._devices)} wearables match --device {question.device}.",
                "See `cytowatch devices`.",
            )

    def rows(self, kind: str) -> Iterator[dict[str, Any]]:
        """All rows of one kind of KINDS, oldest first within a wearable."""
        yield from self._isolated(getattr(Answer, f"_{kind}"))

    def rollups(self, buckets: int) -> Iterator[dict[str, Any]]:
        """Roll-ups, `buckets` of five minutes in one row, oldest first within a wearable; `at` is when it begins."""
        yield from self._isolated(partial(Answer._rollups, buckets=buckets))

    def _isolated(self, read: Callable[["Answer"], Iterator[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
        """The rows of each wearable by itself: where one cannot be read, `broken` says so and the others follow."""
        whole = self._devices, self._journals
        try:
            for device, device_id in [*whole[0].items(), (None, None)]:
                self._devices = {} if device is None else {device: str(device_id)}
                self._journals = [journal for journal in whole[1] if journal.device == device]
                try:
                    yield from read(self)
                except (GeneratorExit, HostAgentError, DatabaseError):
                    raise
                except Exception as error:
                    self.broken[device_id or "this laptop"] = f"{type(error).__name__}: {error}"
        finally:
            self._devices, self._journals = whole

    def _journaled(
        self, read: Callable[[Tx, int], Iterable[D]]
    ) -> Iterator[tuple[dict[str, Any], D, Journal]]:
        """Each record that `read` finds in a journal, with the fields that rows of all kinds share."""
        for journal in self._journals:
            for one in read(self._tx, journal.id):
                dated = self._dated(journal.device, one.boot, one.t_ms)
                if dated is not None:
                    shared = {
                        **dated, "device_id": self._devices[journal.device], "journal_id": journal.journal_id.hex(),
                        "branch": journal.branch, "seq": one.seq, "boot": one.boot, "t_ms": one.t_ms,
                        "simulated": bool(one.simulated), "quarantined": journal.binding is None,
                    }  # fmt: skip
                    yield shared, one, journal

    def _dated(self, device: int, boot: int, t_ms: int) -> dict[str, Any] | None:
        """When a record was made; None when it is outside the question."""
        moment = self._timebase(device).resolve_stored(boot, t_ms)
        if not self._wanted(moment.utc_ms if moment else None):
            return None
        return {
            "at": iso_utc(moment.utc_ms) if moment else None, "time_bound_ms": moment.bound_ms if moment else None,
        }  # fmt: skip

    def _readings(self) -> Iterator[dict[str, Any]]:
        calibrations = Calibrations(self._tx)
        for shared, one, journal in self._journaled(readings):
            found = calibrations.of(journal.id, one.boot)
            offset_cc = found.temp_offset_cc if found else None
            yield {
                **shared, "calibration": found.id if found else None, "calibration_text": found.text if found else None,
                "temp_cc": one.temp_cc,
                "temp_raw_cc": None if one.temp_cc is None or offset_cc is None else one.temp_cc - offset_cc,
                "spo2_tenths": one.spo2_tenths, "hr_bpm": one.hr_bpm, "pi_hundredths": one.pi_hundredths,
                "site": site_name(one.status), "temp_state": units.temp_state_of(one.status),
                "ppg_state": units.ppg_state_of(one.status), "wear": units.wear_of(one.status), "status": one.status,
            }  # fmt: skip

    def _grades(self) -> Iterator[dict[str, Any]]:
        for shared, one, _ in self._journaled(grades):
            signed = one.status == codes.SIGNED
            at_text = local_of_iso(shared["at"], with_seconds=False) if shared["at"] else "a time not known"
            yield {
                **shared, "scale": scale_name(one.scale, one.scale_version, "-"), "lower": one.lower,
                "upper": one.upper, "fever": one.fever, "signed": signed, "reasons": list(one.reasons),
                "missing": list(one.missing), "rule_hash": one.rule_hash.hex(),
                "text": grade_text(
                    one.scale, one.scale_version, lower=one.lower, upper=one.upper, missing=one.missing,
                    signed=signed, at_text=at_text,
                ),
            }  # fmt: skip

    def _alarms(self) -> Iterator[dict[str, Any]]:
        for shared, one, journal in self._journaled(alarm_changes):
            yield {**shared, **self._alarms_told.of_wearable(journal, one, shared["at"])}

    def _events(self) -> Iterator[dict[str, Any]]:
        for shared, one, _ in self._journaled(events):
            record: Any = one.record
            fields = {k: _plain(v) for k, v in record._asdict().items()} if record is not None else None
            name = _EVENT_NAMES.get(one.type, f"TYPE_{one.type}")
            yield {**shared, "type": one.type, "name": name, "fields": fields, "payload": one.payload.hex()}

    def _gaps(self) -> Iterator[dict[str, Any]]:
        for journal in self._journals:
            for one in gaps(self._tx, journal.id):
                if self._wanted(one.received_utc_ms):
                    number = one.last_seq - one.first_seq + 1
                    why = code_texts.GAP_TEXTS.get(one.reason) or f"reason {one.reason}"
                    yield {
                        "at": iso_utc(one.received_utc_ms), "device_id": self._devices[journal.device],
                        "journal_id": journal.journal_id.hex(), "branch": journal.branch, "first_seq": one.first_seq,
                        "last_seq": one.last_seq, "reason": one.reason, "text": f"{number} missing: {why}",
                    }  # fmt: skip

    def _thinned(self) -> Iterator[dict[str, Any]]:
        """Runs of retention: single readings were removed, their roll-ups and blocks are kept."""
        for one in thinnings(self._tx):
            if one.device in self._devices and self._wanted(one.run_utc_ms):
                yield {
                    "at": iso_utc(one.run_utc_ms), "device_id": self._devices[one.device],
                    "journal_id": one.journal_id.hex(), "branch": one.branch, "first_seq": one.first_seq,
                    "last_seq": one.last_seq, "readings": one.readings, "keep_days": one.keep_days,
                    "simulated": one.simulated,
                }  # fmt: skip

    def _rollups(self, buckets: int) -> Iterator[dict[str, Any]]:
        for one in read_rollups(self._tx, buckets):
            if one.device not in self._devices:
                continue
            t_ms = one.bucket * buckets * BUCKET_MS
            dated = self._dated(one.device, one.boot, t_ms)
            if dated is not None:
                yield {
                    **dated, "device_id": self._devices[one.device], "journal_id": one.journal_id.hex(),
                    "branch": one.branch, "boot": one.boot, "t_ms": t_ms, "every_ms": buckets * BUCKET_MS,
                    "simulated": one.simulated, "quarantined": one.binding is None,
                    "site": units.SITES[one.site] if one.site < len(units.SITES) else None, **_figures(one.figures),
                }  # fmt: skip

    def _restarts(self) -> Iterator[dict[str, Any]]:
        """Each restart, and for how long nothing is stored because of it."""
        for shared, one, journal in self._journaled(partial(events, kind=record_layout.BOOT)):
            start: Any = one.record
            if start is None or not start.prev_boot:
                continue
            since = None
            if start.prev_last_ms is not None:
                since = self._timebase(journal.device).resolve(start.prev_boot, start.prev_last_ms)
            yield {
                **shared, "cause": start.cause, "cause_text": _CAUSES.get(start.cause, f"for reason {start.cause}"),
                "nothing_stored_from": iso_utc(since.utc_ms) if since else None, "lost_ms_max": start.lost_ms_max,
            }  # fmt: skip

    def _calibrations(self) -> Iterator[dict[str, Any]]:
        """Each change of the calibration that a wearable measures with."""
        last: dict[int, SensorCalibration] = {}
        for shared, one, journal in self._journaled(partial(events, kind=record_layout.CALIBRATION)):
            found = calibration_in(one)
            if found is not None and last.get(journal.device) != found:
                last[journal.device] = found
                yield {**shared, **found.fields()}

    def _host_alarms(self) -> Iterator[dict[str, Any]]:
        simulated = {one.id: one.simulated for one in devices(self._tx)}
        for one in host_alarms(self._tx):
            is_asked = one.device in self._devices if one.device is not None else not self._devices
            if is_asked and self._wanted(one.raised_utc_ms):
                yield {
                    "at": iso_utc(one.raised_utc_ms), "device_id": self._devices.get(one.device or 0),
                    "simulated": simulated.get(one.device or 0, False),
                    "ended_at": iso_utc(one.ended_utc_ms) if one.ended_utc_ms else None, "detail": one.detail,
                    **self._alarms_told.of_host(one),
                }  # fmt: skip

    def _deliveries(self) -> Iterator[dict[str, Any]]:
        if self._devices:  # a delivery is of this laptop, and read with what is about no wearable
            return
        yield from (row for row in delivery_rows(self._tx) if self._wanted(utc_ms_of_iso(row["at"])))

    def _told(self) -> Iterator[dict[str, Any]]:
        if self._devices:
            return
        rows = told_rows(self._tx, self._asked if self._question.device else None)
        yield from (row for row in rows if self._wanted(utc_ms_of_iso(row["at"])))

    def _of_patients(self, read: Callable[[Tx, int], Iterator[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
        """The rows that `read` finds about each binding, with the patient's pseudonym."""
        for binding in bindings(self._tx):
            if binding.device not in self._devices:
                continue
            for row in read(self._tx, binding.row):
                if self._wanted(utc_ms_of_iso(row["at"])):
                    at, rest = row["at"], {key: value for key, value in row.items() if key != "at"}
                    yield {
                        "at": at, "device_id": self._devices[binding.device], "patient": binding.patient, **rest,
                    }  # fmt: skip

    def _context(self) -> Iterator[dict[str, Any]]:
        yield from self._of_patients(entry_rows)

    def _signed(self) -> Iterator[dict[str, Any]]:
        yield from self._of_patients(signed_rows)

    def _acceptances(self) -> Iterator[dict[str, Any]]:
        yield from self._of_patients(acceptance_rows)
        yield from (r for r in unbound_rows(self._tx, self._devices) if self._wanted(utc_ms_of_iso(r["at"])))

    def _acts(self) -> Iterator[dict[str, Any]]:
        yield from self._once(act_rows)

    def _bindings(self) -> Iterator[dict[str, Any]]:
        yield from self._once(binding_rows)

    def _once(self, read: Callable[[Tx], Iterator[ActRow]]) -> Iterator[dict[str, Any]]:
        """Rows that may concern several wearables, each with the first one, or with what is about none."""
        for one in read(self._tx):
            concerned = [device for device in one.devices if device in self._asked]
            is_its_turn = concerned[0] in self._devices if concerned else not (one.devices or self._devices)
            if is_its_turn and self._wanted(one.utc_ms):
                yield one.row

    def _wanted(self, utc_ms: int | None) -> bool:
        from_ms, to_ms, _ = self._question
        if utc_ms is None:
            self.undated += from_ms is not None or to_ms is not None
            return from_ms is None and to_ms is None
        return (from_ms is None or utc_ms >= from_ms) and (to_ms is None or utc_ms < to_ms)

    def _timebase(self, device: int) -> Timebase:
        if device not in self._timebases:
            self._timebases[device] = load_timebase(self._tx, device)
        return self._timebases[device]


def _figures(figures: Sequence[int | None]) -> dict[str, Any]:
    """The values of one roll-up; without a valid value minimum, mean and maximum are None, never 0."""
    n, *rest = figures
    fields: dict[str, Any] = {"n": n}
    for at, (name, unit) in enumerate((("temp", "cc"), ("spo2", "tenths"), ("hr", "bpm"))):
        valid, total, low, high = rest[at * 4 : at * 4 + 4]
        mean = (2 * total + valid) // (2 * valid) if valid and total is not None else None
        fields |= {
            f"{name}_n": valid, f"{name}_min_{unit}": low, f"{name}_mean_{unit}": mean, f"{name}_max_{unit}": high,
        }  # fmt: skip
    return fields


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
