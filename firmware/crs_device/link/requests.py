"""What a host may ask and what it gets; custodian-only where the wearable's state changes.

`handle(server, message)` returns the answers. A reader may read, ping, give the time, accept alarms, run the self-test,
and ask for status, settings and keys; it never frees flash and never changes anything. Requests that come seldom are
answered by requests_on_demand.py.
"""

from crs_core.journal import record_layout, record_writer
from crs_core.compat import const
from crs_core.errors import CoreError
from crs_core.wire import message as wire
from crs_device import health as counts
from crs_device.heap import unload_modules

_TIME_MARK_EVERY_MS = const(3_600_000)
_CLOCK_MOVED_MS = const(500)  # beyond both bounds; a crystal of 100 ppm drifts 360 ms in an hour
_PARTS_MAX = const(2048)
_UNREACHED_MS = const(600_000)

_ON_DEMAND = {
    wire.Settings: "settings",
    wire.Context: "context",
    wire.Bind: "bind",
    wire.SelfTest: "self_test",
    wire.Maintenance: "maintenance",
    wire.Pause: "pause",
    wire.Keys: "keys",
}


class Requests:
    """`app` is the running application. One object serves all carriers: a time mark is due once, whoever sends it."""

    def __init__(self, app) -> None:  # type: ignore[no-untyped-def]
        self._app = app
        self._mark: tuple[int, int, int] | None = None  # utc_ms, bound_ms, t_ms of the last TIME_MARK

    def forget_time(self) -> None:
        """Another journal begins: the next time that a host sends is journaled."""
        self._mark = None

    def utc_ms(self, now_ms: int) -> int | None:
        """The time of day at `now_ms`, by the last host that sent it; None before that."""
        mark = self._mark
        return None if mark is None else mark[0] + now_ms - mark[2]

    def handle(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        """Answer one authenticated message. A refusal is an answer, too, and is counted."""
        if _is_for_custodian(message) and not server.is_custodian:
            return self._refuse(message, wire.RESULT_FORBIDDEN, "custodian only")
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
            if isinstance(message, wire.AlarmAccept):
                return self._alarm_accept(server, message)
            if isinstance(message, wire.NobodyReached):
                # The host repeats it: a host that is gone says nothing about today's receivers.
                until_ms = self._app.clock.ms() + _UNREACHED_MS if message.priority else -1
                self._app.monitor.unreached_until_ms = until_ms
                return [wire.Result(wire.type_of(message), wire.RESULT_DONE, "")]
            name = _ON_DEMAND.get(type(message))
            if name is None:
                return self._refuse(message, wire.RESULT_UNKNOWN_REQUEST, "")
            return self._load_and_answer(server, name, message)
        except CoreError as error:
            return self._refuse(message, wire.RESULT_BAD_VALUE, str(error.args[0]))
        except OSError as error:
            return self._refuse(message, wire.RESULT_FAILED, "flash or hardware: %s" % error)

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
        mark = self._mark
        # The message may have waited here while the board was stalled: its bound does not include that.
        bound_ms = min(message.bound_ms + max(now_ms - server.emptied_ms, 0), 0xFFFFFFFF)
        wanted = True
        if mark is not None and now_ms - mark[2] < _TIME_MARK_EVERY_MS:
            moved_ms = abs((message.utc_ms - mark[0]) - (now_ms - mark[2]))
            wanted = moved_ms > _CLOCK_MOVED_MS * app.clock.speed + bound_ms + mark[1]
        if wanted:
            payload = record_writer.write(
                record_layout.TIME_MARK, message.utc_ms, bound_ms, server.session.key.key_id
            )
            if app.log.append(now_ms, record_layout.TIME_MARK, payload):
                self._mark = (message.utc_ms, bound_ms, now_ms)
        return [wire.TimeIs(message.utc_ms, app.boot_number, now_ms)]

    def _status(self, server) -> list:  # type: ignore[no-untyped-def,type-arg]
        """Answer with the status. Every session begins with it, so an alarm that is in no journal rings now."""
        app = self._app
        server.take_counts()
        bell = app.monitor.bell
        if bell is not None and bell.seq == 0 and app.log.is_holding:
            server.ring(bell)
        return [app.status()]

    def _alarm_accept(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        key_id = server.session.key.key_id
        if not self._app.accept(message.alarm_id, message.priority, key_id, message.who):
            return self._refuse(message, wire.RESULT_BAD_VALUE, "not active at this priority")
        return [wire.Result(wire.type_of(message), wire.RESULT_DONE, "")]


def _is_for_custodian(message) -> bool:  # type: ignore[no-untyped-def]
    """Whether the request changes the wearable."""
    if isinstance(message, (wire.Context, wire.Bind, wire.Maintenance, wire.Pause, wire.NobodyReached)):
        return True
    if isinstance(message, wire.Settings):
        return message.op != wire.SETTINGS_GET
    return isinstance(message, wire.Keys) and message.op != wire.KEYS_LIST
