"""What a host may ask and what it gets. Whether its key may ask that is decided here, for every message, at one place.

`handle(server, message)` returns the answers. A message without its right (crs_core/wire/rights.py) is answered by
RESULT_FORBIDDEN and counted; one beyond the key's allowance by RESULT_BUSY. Requests that come seldom are answered by
requests_on_demand.py.
"""

from crs_core.journal import record_layout, record_writer
from crs_core.compat import const
from crs_core.errors import CoreError
from crs_core.codes import FAULT_EXCEPTION, SUBSYSTEM_LINK
from crs_core.wire import message as wire
from crs_core.wire import rights
from crs_device import health as counts
from crs_device.heap import unload_modules
from crs_device.link.allowance import JOURNALED, LOOKED_UP, Allowance

_TIME_MARK_EVERY_MS = const(3_600_000)
_CLOCK_MOVED_MS = const(500)  # beyond both bounds; a crystal of 100 ppm drifts 360 ms in an hour
_BOUND_MAX_MS = const(86_400_000)  # a mark that says less than the day dates nothing
_PARTS_MAX = const(2048)
_REASON_MAX = const(80)

_ON_DEMAND = {
    wire.Settings: "settings",
    wire.Context: "context",
    wire.Bind: "bind",
    wire.AlarmAccept: "alarm_accept",
    wire.SelfTest: "self_test",
    wire.Maintenance: "maintenance",
    wire.Pause: "pause",
    wire.Keys: "keys",
}
_IN_PARTS = (wire.Settings, wire.Context, wire.Bind)
_ENDS = (wire.Maintenance, wire.Pause)
_END = const(2)  # their op that ends it


class Requests:
    """`app` is the running application. One object serves all carriers: a key may do the same on each."""

    def __init__(self, app) -> None:  # type: ignore[no-untyped-def]
        self._app = app
        self.allowance = Allowance()
        # key id -> (utc_ms, bound_ms, t_ms) of its last TIME_MARK: no key keeps the marks of another out
        self._marks: dict[int, tuple[int, int, int]] = {}
        self._mark: tuple[int, int, int] | None = None  # the newest of them

    def forget_time(self) -> None:
        """Another journal begins: the next time that a host sends is journaled."""
        self._marks = {}
        self._mark = None

    def utc_ms(self, now_ms: int) -> int | None:
        """The time of day at `now_ms`, by the last mark that was journaled; None before that."""
        mark = self._mark
        return None if mark is None else mark[0] + now_ms - mark[2]

    def handle(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        """Answer one authenticated message. A refusal is an answer, too, and is counted."""
        right = rights.needed(message)
        if not right:
            return self._refuse(message, wire.RESULT_UNKNOWN_REQUEST, "")
        if not server.rights & right:
            return self._refuse(message, wire.RESULT_FORBIDDEN, "this key may not do that")
        if not self._is_within_allowance(server, message, right):
            return self._refuse(message, wire.RESULT_BUSY, "too many requests: try again in a minute")
        try:
            if isinstance(message, wire.ReadFrom):
                return self._read_from(server, message)
            if isinstance(message, wire.Ack):
                return self._ack(server, message)
            if isinstance(message, wire.Ping):
                return [wire.Pong(message.token)]
            if isinstance(message, wire.Time):
                return self._time(server, message)
            if isinstance(message, wire.StatusAsk):
                return self._status(server)
            return self._load_and_answer(server, _ON_DEMAND[type(message)], message)
        except CoreError as error:
            return self._refuse(message, wire.RESULT_BAD_VALUE, str(error.args[0]))
        except OSError as error:
            return self._refuse(message, wire.RESULT_FAILED, "flash or hardware: %s" % error)
        except Exception as error:
            # One message must not end the task that serves every link.
            self._app.health.count(counts.TASK_CRASH)
            self._app.health.fault(SUBSYSTEM_LINK, FAULT_EXCEPTION, repr(error))
            return self._refuse(message, wire.RESULT_FAILED, repr(error)[:_REASON_MAX])

    def _is_within_allowance(self, server, message, right: int) -> bool:  # type: ignore[no-untyped-def]
        """Take what the request costs: a request in parts pays once. What ends a pause or maintenance is free: it was
        paid for at its beginning, and nothing may keep the wearable from monitoring again."""
        kind = type(message)
        if kind not in _ON_DEMAND:
            return True
        cost = LOOKED_UP
        if right not in (rights.READ, rights.ACCEPT):
            cost = JOURNALED
            if kind in _IN_PARTS and kind in server.parts and message.part:
                return True
            if kind in _ENDS and message.op == _END:
                return True
        return self.allowance.take(server.session.key.key_id, cost, self._app.clock.ms())

    def _refuse(self, message, code: int, detail: str) -> list:  # type: ignore[no-untyped-def,type-arg]
        self._app.health.count(counts.REQUEST_REFUSED)
        return [wire.Result(wire.type_of(message), code, detail)]

    def _load_and_answer(self, server, name: str, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        # loaded for one request and unloaded again, to save heap
        from crs_core.wire.parts import PartJoiner
        from crs_device.link import requests_on_demand

        kind = type(message)
        parts = server.parts
        if kind not in parts:
            parts[kind] = PartJoiner(_PARTS_MAX)
        try:
            answers = getattr(requests_on_demand, name)(self._app, server, parts[kind], message)
        finally:
            unload_modules("crs_device.link.requests_on_demand", "crs_core.wire.parts")
        if answers is None:
            return [wire.Result(wire.type_of(message), wire.RESULT_MORE_PARTS, "")]
        parts.pop(kind, None)
        return answers  # type: ignore[no-any-return]

    def _read_from(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        if server.pump is None:
            return self._refuse(message, wire.RESULT_FAILED, "no journal")
        server.start_reading(message.seq, message.window, message.max_bytes)
        return []

    def _ack(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        app = self._app
        if server.pump is not None:
            server.pump.acknowledge(message.received)
            if server.is_custodian:
                app.log.journal.ack(message.committed_seq)
                if app.binding is not None:
                    app.binding.acknowledged()
        return []

    def _time(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        app = self._app
        now_ms = app.clock.ms()
        # The message may have waited here while the board was stalled: its bound does not include that.
        bound_ms = min(message.bound_ms + max(now_ms - server.emptied_ms, 0), 0xFFFFFFFF)
        if server.rights & rights.TIME and self._is_mark_wanted(server, message.utc_ms, bound_ms, now_ms):
            self._mark_time(server.session.key.key_id, message.utc_ms, bound_ms, now_ms)
        return [wire.TimeIs(message.utc_ms, app.boot_number, now_ms)]

    def _is_mark_wanted(self, server, utc_ms: int, bound_ms: int, now_ms: int) -> bool:  # type: ignore[no-untyped-def]
        """Whether this time says more than the last mark of the same key."""
        if bound_ms > _BOUND_MAX_MS:
            return False
        mark = self._marks.get(server.session.key.key_id)
        if mark is None or now_ms - mark[2] >= _TIME_MARK_EVERY_MS:
            return True
        moved_ms = abs((utc_ms - mark[0]) - (now_ms - mark[2]))
        return moved_ms > _CLOCK_MOVED_MS * self._app.clock.speed + bound_ms + mark[1]

    def _mark_time(self, key_id: int, utc_ms: int, bound_ms: int, now_ms: int) -> None:
        app = self._app
        if not self.allowance.take(key_id, JOURNALED, now_ms):
            app.health.count(counts.REQUEST_REFUSED)
            return
        payload = record_writer.write(record_layout.TIME_MARK, utc_ms, bound_ms, key_id)
        if app.log.append(now_ms, record_layout.TIME_MARK, payload):
            self._mark = self._marks[key_id] = (utc_ms, bound_ms, now_ms)

    def _status(self, server) -> list:  # type: ignore[no-untyped-def,type-arg]
        """Answer with the status. Every session begins with it, so an alarm that is in no journal rings now."""
        app = self._app
        server.take_counts()
        bell = app.monitor.bell
        if bell is not None and bell.seq == 0 and app.log.is_holding:
            server.ring(bell)
        return [app.status()]
