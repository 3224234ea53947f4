"""A journal belongs to one patient: how a binding starts and ends, and what its end wipes.

End: the journal is closed and must be committed by the custodian (or overridden), then journal, profile, latches,
baseline and reader keys go together. The intent is on flash first, so a cut in between is finished at the next start.
"""

import os

from crs_core.journal import record_layout, record_writer
from crs_core.compat import const
from crs_core.grade import alarms, grader
from crs_core.wire import message as wire
from crs_device.two_slot import TwoSlot

_UNBOUND = bytes(8)
_START = const(1)
_END = const(2)
_OVERRIDE_END = const(3)
_SYNC_DEADLINE_MS = const(30_000)  # real time that an end waits for the host to commit the last records
_NO_INTENT = b""


class Binding:
    """`app` is the running application. The profile's text is kept in a file of its own while bound."""

    def __init__(self, app, profile_path: str = "/profile", intent_path: str = "/unbind") -> None:  # type: ignore[no-untyped-def]
        self._app = app
        self._profile_path = profile_path
        self._profile_file = TwoSlot(profile_path)
        self._intent_file = TwoSlot(intent_path)
        self._server = None  # the link that asked
        self._waiting: tuple[bytes, int] | None = None  # binding id, real deadline

    @property
    def is_waiting(self) -> bool:
        """Whether an end waits for the host to commit the last records."""
        return self._waiting is not None

    def resume(self) -> None:
        """At the start: finish an end that a cut interrupted."""
        intent = self._intent_file.load()
        if intent:
            self._wipe(intent)

    def request(self, server, op: int, binding_id: bytes, profile: bytes) -> list:  # type: ignore[no-untyped-def,type-arg]
        """Start or end a binding; returns the refusal, or no answer yet.

        What succeeds is answered when it is done: an end perhaps only when the host has committed every record.
        """
        self._server = server
        if self._app.log.journal is None:
            return [wire.Result(0x15, wire.RESULT_FAILED, "no journal")]
        if op == _START:
            journal = self._app.log.journal
            waits = journal.acked_seq < journal.head_seq and not self._app.is_bound
            if waits and not server.is_custodian:  # a start deletes what the unbound wearable journaled
                return [wire.Result(0x15, wire.RESULT_NOT_SYNCED, "the custodian's laptop must read first")]
            refusal = self._start(binding_id, profile)
            return [] if refusal is None else [refusal]
        if op not in (_END, _OVERRIDE_END):
            return [wire.Result(0x15, wire.RESULT_BAD_VALUE, "unknown binding operation %d" % op)]
        if op == _OVERRIDE_END and not server.is_custodian:  # it alone frees flash
            return [wire.Result(0x15, wire.RESULT_FORBIDDEN, "only the custodian leaves records behind")]
        return self._end(op, binding_id)

    def _start(self, binding_id: bytes, profile: bytes):  # type: ignore[no-untyped-def]
        app = self._app
        journal = app.log.journal
        if binding_id == _UNBOUND:
            return wire.Result(0x15, wire.RESULT_BAD_VALUE, "binding id must not be zero")
        if journal.binding_id == binding_id:
            return wire.Result(0x15, wire.RESULT_DONE, "already bound")
        if self._app.is_bound:
            return wire.Result(0x15, wire.RESULT_BUSY, "bound to another patient")
        if not app.has_settings:
            return wire.Result(0x15, wire.RESULT_FAILED, "no settings: the thermometer's site is not known")
        self._profile_file.store(profile)
        journal.handover(binding_id)
        self._journal_replaced(_START, binding_id, profile)
        return None

    def _end(self, op: int, binding_id: bytes) -> list:  # type: ignore[type-arg]
        app = self._app
        journal = app.log.journal
        if journal.binding_id != binding_id or not self._app.is_bound:
            return [wire.Result(0x15, wire.RESULT_BAD_VALUE, "not bound to this patient")]
        if op == _OVERRIDE_END:
            self._finish(op, binding_id)
            return []
        if self._waiting is None:
            app.log.flush()
            app.log.append(
                app.clock.ms(),
                record_layout.BINDING,
                record_writer.write(record_layout.BINDING, _END, binding_id, b""),
            )
        if journal.acked_seq >= journal.head_seq:
            self._finish(op, binding_id)
            return []
        self._waiting = (binding_id, app.clock.real_ms() + _SYNC_DEADLINE_MS)
        return []

    def acknowledged(self) -> None:
        """The custodian committed more records: finish an end that waits for the last one."""
        waiting = self._waiting
        journal = self._app.log.journal
        if waiting is None or journal.acked_seq < journal.head_seq:
            return
        self._finish(_END, waiting[0])

    def tick(self) -> None:
        """Give up an end whose records were not committed in time; the binding stays."""
        waiting = self._waiting
        if waiting is not None and self._app.clock.real_ms() >= waiting[1]:
            self._waiting = None
            journal = self._app.log.journal
            left = journal.head_seq - journal.acked_seq
            self._answer(wire.Result(0x15, wire.RESULT_NOT_SYNCED, "%d records to commit" % left))

    def _finish(self, op: int, binding_id: bytes) -> None:
        self._waiting = None
        self._intent_file.store(binding_id)
        self._wipe(binding_id)
        self._journal_replaced(op, binding_id, b"")

    def _answer(self, result) -> None:  # type: ignore[no-untyped-def]
        if self._server is not None:  # None: a start finishes an end that a cut interrupted
            self._server.answer(result)

    def _wipe(self, binding_id: bytes) -> None:
        # loaded for one call, to save heap
        from crs_device.settings import provisioned

        app = self._app
        if app.log.journal.binding_id == binding_id:
            app.log.journal.handover(_UNBOUND)
        for slot in (0, 1):
            try:
                os.remove("%s.%d" % (self._profile_path, slot))
            except OSError:
                pass  # it was never written, or is deleted already
        self._profile_file = TwoSlot(self._profile_path)
        provisioned.drop_readers(app)
        provisioned.drop_limits(app)
        provisioned.drop_bonds(app)
        provisioned.release()
        app.keys_changed()
        self._intent_file.store(_NO_INTENT)

    def _journal_replaced(self, op: int, binding_id: bytes, profile: bytes) -> None:
        """Write the first records of a new journal: why it was made, the settings, the states it starts from."""
        from crs_device.settings import provisioned

        app = self._app
        now_ms = app.clock.ms()
        # Queued before the session over the old journal ends: a host does not read what follows BYE.
        self._answer(wire.Result(0x15, wire.RESULT_DONE, ""))
        app.log.forget_held()
        # No latch, baseline or delay of the previous wearer stays.
        app.monitor.resume(alarms.new_state(), grader.new_state())
        app.monitor.is_bound = self._app.is_bound
        app.pause = None
        payload = record_writer.write(record_layout.BINDING, op, binding_id, profile)
        app.log.append(now_ms, record_layout.BINDING, payload)
        provisioned.journal_settings(app, now_ms)
        provisioned.release()
        app.monitor.journal_states(3, now_ms)
        app.journal_replaced()
