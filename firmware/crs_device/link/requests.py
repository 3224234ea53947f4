"""What a host may ask and what it gets. Whether its key may ask that is decided here, for every message, at one place.

`handle(server, message)` returns the answers. A message without its right (crs_core/wire/rights.py) is answered by
RESULT_FORBIDDEN and counted; one beyond the key's allowance by RESULT_BUSY. Requests that come seldom are answered by
requests_on_demand.py.
"""

from crs_core.compat import const
from crs_core.errors import CoreError
from crs_core.codes import FAULT_EXCEPTION, HOST_AWAY, SUBSYSTEM_LINK
from crs_core.wire import message as wire
from crs_core.wire import rights
from crs_device import health as counts
from crs_device.heap import unload_modules

# What a request costs the allowance of its key, which refills with board time. So no key wears flash or fills the
# journal, whatever it sends, and the allowance of another key is not touched. A start begins with what a host sends
# again at once: its time and what people entered.
_JOURNALED = const(60)
_LOOKED_UP = const(2)  # code is loaded and flash is read
_FULL = const(1920)  # 32 that are journaled
_AT_START = const(960)
_REFILL_MS = const(1000)  # one more each second: one that is journaled each minute
_PARTS_MAX = const(2048)
_REASON_MAX = const(80)
_UNREACHED_MS = const(600_000)
_TOO_MANY = "too many requests: try again in a minute"
_UTC_FIRST_MS = const(1_577_836_800_000)  # 2020, and 2100: no clock that is right says another time
_UTC_END_MS = const(4_102_444_800_000)

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
        self._allowances: dict[int, tuple[int, int]] = {}  # key id -> (left, when that was)
        # key id -> (utc_ms, bound_ms, t_ms) of its last TIME_MARK: no key keeps the marks of another out
        self.marks: dict[int, tuple[int, int, int]] = {}
        self.mark: tuple[int, int, int] | None = None  # the newest of them

    def forget_time(self) -> None:
        """Another journal begins: the next time that a host sends is journaled."""
        self.marks = {}
        self.mark = None

    def utc_ms(self, now_ms: int) -> int | None:
        """The time of day at `now_ms`, by the last mark that was journaled; None before that."""
        mark = self.mark
        return None if mark is None else mark[0] + now_ms - mark[2]

    def handle(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        """Answer one authenticated message. A refusal is an answer, too, and is counted."""
        right = rights.needed(message)
        if not right:
            return self._refuse(message, wire.RESULT_UNKNOWN_REQUEST, "")
        if not server.rights & right:
            return self._refuse(message, wire.RESULT_FORBIDDEN, "this key may not do that")
        try:
            refused = self._charge(server, message, right)
            if refused:
                return self._refuse(message, wire.RESULT_BUSY, refused)
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
            if isinstance(message, wire.NobodyReached):
                return self._nobody_reached(server, message)
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

    def _charge(self, server, message, right: int) -> str:  # type: ignore[no-untyped-def]
        """Take what the request costs, or say why not: a request in parts pays once. What ends a pause or maintenance
        is free: it was paid for at its beginning, and nothing may keep the wearable from monitoring again."""
        kind = type(message)
        if kind not in _ON_DEMAND:
            return ""
        if right in (rights.READ, rights.ACCEPT):
            return "" if self._pay(server, _LOOKED_UP) else _TOO_MANY
        if kind in _IN_PARTS and kind in server.parts and message.part:
            return ""
        if kind in _ENDS and message.op == _END:
            return ""
        return self.charge(server, True)

    def charge(self, server, changes_alarms: bool) -> str:  # type: ignore[no-untyped-def]
        """Take the cost of one record from the allowance of the key in session; "" when that was left, else why not.

        `changes_alarms`: alarms or grades may follow, so it also needs room (keys_room.py). OSError: flash refused.
        """
        if not self._pay(server, _JOURNALED):
            return _TOO_MANY
        journal = self._app.log.journal
        if not changes_alarms or server.is_custodian or journal is None:
            return ""
        from crs_device.link import keys_room

        try:
            return keys_room.take(journal)
        finally:
            unload_modules("crs_device.link.keys_room")

    def may_return(self, server) -> bool:  # type: ignore[no-untyped-def]
        """Whether a host that was silent counts as there again: where that ends HOST_AWAY, its key pays for it."""
        if server.is_custodian:
            return True
        for alarm, _ in self._app.monitor.active:
            if alarm == HOST_AWAY:
                try:
                    return not self.charge(server, True)
                except OSError:
                    return False
        return True

    def _pay(self, server, cost: int) -> bool:  # type: ignore[no-untyped-def]
        key_id = server.key.key_id
        now_ms = self._app.clock.ms()
        left, at_ms = self._allowances.get(key_id, (_AT_START, 0))
        gained = (now_ms - at_ms) // _REFILL_MS
        left = min(left + gained, _FULL)
        is_enough = left >= cost
        self._allowances[key_id] = (left - cost if is_enough else left, at_ms + gained * _REFILL_MS)
        return is_enough

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
        if not _UTC_FIRST_MS <= message.utc_ms < _UTC_END_MS:
            return self._refuse(message, wire.RESULT_BAD_VALUE, "a time outside 2020 to 2099")
        now_ms = app.clock.ms()
        # The message may have waited here while the board was stalled: its bound does not include that.
        bound_ms = min(message.bound_ms + max(now_ms - server.emptied_ms, 0), 0xFFFFFFFF)
        if server.rights & rights.TIME and self._pay(server, _LOOKED_UP):
            from crs_device.link import requests_on_demand

            try:
                requests_on_demand.time_mark(self, app, server, message.utc_ms, bound_ms)
            finally:
                unload_modules("crs_device.link.requests_on_demand")
        return [wire.TimeIs(message.utc_ms, app.boot_number, now_ms)]

    def _status(self, server) -> list:  # type: ignore[no-untyped-def,type-arg]
        """Answer with the status. Every session begins with it, so an alarm that is in no journal rings now."""
        app = self._app
        server.take_counts()
        bell = app.monitor.bell
        if bell is not None and bell.seq == 0 and app.log.is_holding:
            server.ring(bell)
        return [app.status()]

    def _nobody_reached(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        """The host repeats it: a host that is gone says nothing about today's receivers. A change becomes a record."""
        now_ms = self._app.clock.ms()
        monitor = self._app.monitor
        is_change = (monitor.unreached_until_ms > now_ms) != bool(message.priority)
        refused = self.charge(server, True) if is_change else ""
        if refused:
            return self._refuse(message, wire.RESULT_BUSY, refused)
        monitor.unreached_until_ms = now_ms + _UNREACHED_MS if message.priority else -1
        return [wire.Result(wire.type_of(message), wire.RESULT_DONE, "")]
