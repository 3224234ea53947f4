"""What a host may ask and what it gets: one function per request, custodian-only where the wearable's state changes.

`handle(server, message)` returns the answers. A reader may read, ping, give the time, accept alarms, ask for status,
settings and keys; it never frees flash and never changes anything. Rare requests load their code when they come.
"""

from crs_core import records
from crs_core.compat import const
from crs_core.errors import CoreError, RemoteError
from crs_core.wire import message as wire
from crs_core.wire.parts import PartJoiner
from crs_device import health as counts

_TIME_MARK_EVERY_MS = const(3_600_000)
_CLOCK_MOVED_MS = const(500)  # beyond both bounds and what a crystal of 100 ppm drifts
_SETTINGS_MAX = const(2048)
_CONTEXT_MAX = const(1024)
_PROFILE_MAX = const(2048)
_MAINTENANCE_MAX_S = const(1800)


class Requests:
    """`app` is the running application; one Requests per carrier."""

    def __init__(self, app) -> None:  # type: ignore[no-untyped-def]
        self._app = app
        self._settings_parts = PartJoiner(_SETTINGS_MAX)
        self._context_parts = PartJoiner(_CONTEXT_MAX)
        self._profile_parts = PartJoiner(_PROFILE_MAX)
        self._mark: tuple[int, int, int] | None = None  # utc_ms, bound_ms, t_ms of the last TIME_MARK
        self._by_type = {
            wire.ReadFrom: self._read_from,
            wire.Ack: self._ack,
            wire.Time: self._time,
            wire.Settings: self._settings,
            wire.Context: self._context,
            wire.Bind: self._bind,
            wire.AlarmAccept: self._alarm_accept,
            wire.SelfTest: self._self_test,
            wire.Maintenance: self._maintenance,
            wire.Ping: self._ping,
            wire.Keys: self._keys,
            wire.StatusAsk: self._status,
        }
        self._custodian_only = (wire.Context, wire.Bind, wire.Maintenance)

    def forget_time(self) -> None:
        """Another journal begins: it needs a time mark of its own."""
        self._mark = None

    def handle(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        """Answers to one authenticated message; a refusal is an answer too, and is counted."""
        act = self._by_type.get(type(message))
        if act is None:
            return [wire.Result(wire.type_of(message), wire.RESULT_UNKNOWN_REQUEST, "")]
        forbidden = isinstance(message, self._custodian_only)
        forbidden = forbidden or (isinstance(message, wire.Settings) and message.op != wire.SETTINGS_GET)
        forbidden = forbidden or (isinstance(message, wire.Keys) and message.op != wire.KEYS_LIST)
        if forbidden and not server.is_custodian:
            return self._refuse(message, wire.RESULT_FORBIDDEN, "custodian only")
        try:
            return act(server, message)  # type: ignore[no-any-return]
        except CoreError as error:
            return self._refuse(message, wire.RESULT_BAD_VALUE, str(error.args[0]))
        except OSError as error:
            return self._refuse(message, wire.RESULT_FAILED, "flash or hardware: %s" % error)

    def _refuse(self, message, code: int, detail: str) -> list:  # type: ignore[no-untyped-def,type-arg]
        self._app.health.count(counts.REQUEST_REFUSED)
        return [wire.Result(wire.type_of(message), code, detail)]

    def _done(self, message, detail: str = "") -> list:  # type: ignore[no-untyped-def,type-arg]
        return [wire.Result(wire.type_of(message), wire.RESULT_DONE, detail)]

    def _more(self, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        return [wire.Result(wire.type_of(message), wire.RESULT_MORE_PARTS, "")]

    def _read_from(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        if server.pump is None:
            return self._refuse(message, wire.RESULT_FAILED, "no journal")
        server.pump.start(
            message.seq, message.window, min(message.max_bytes, server.session.peer_largest - 1)
        )
        return []

    def _ack(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        if server.pump is not None:
            server.pump.acknowledge(message.received)
            journal = self._app.log.journal
            if server.is_custodian and message.committed_seq <= journal.head_seq:
                journal.ack(message.committed_seq)
                self._app.binding.acknowledged()
        return []

    def _time(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        app = self._app
        now_ms = app.clock.ms()
        mark = self._mark
        wanted = mark is None or now_ms - mark[2] >= _TIME_MARK_EVERY_MS
        if mark is not None and not wanted:
            moved_ms = abs((message.utc_ms - mark[0]) - (now_ms - mark[2]))
            wanted = moved_ms > _CLOCK_MOVED_MS + (message.bound_ms + mark[1]) * app.clock.speed
        if wanted:
            payload = records.encode_time_mark(message.utc_ms, message.bound_ms, server.session.key.key_id)
            if app.log.append(now_ms, records.TIME_MARK, payload):
                self._mark = (message.utc_ms, message.bound_ms, now_ms)
        return [wire.TimeIs(message.utc_ms, app.boot_number, now_ms)]

    def _settings(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        app = self._app
        if message.op == wire.SETTINGS_GET:
            return [wire.SettingsIs(app.settings_version, app.settings_text().encode())]
        if message.op != wire.SETTINGS_SET:
            raise RemoteError("settings operation %d" % message.op)
        whole = self._settings_parts.add(message.part, message.parts, message.data)
        if whole is None:
            return self._more(message)
        app.change_settings(whole)
        return self._done(message, "version %d" % app.settings_version)

    def _context(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        whole = self._context_parts.add(message.part, message.parts, message.data)
        if whole is None:
            return self._more(message)
        if not self._app.log.append(self._app.clock.ms(), records.CONTEXT, whole):
            return self._refuse(message, wire.RESULT_FAILED, "not journaled")
        return self._done(message)

    def _bind(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        whole = self._profile_parts.add(message.part, message.parts, message.data)
        if whole is None:
            return self._more(message)
        return self._app.binding.request(message.op, message.binding_id, whole)  # type: ignore[no-any-return]

    def _alarm_accept(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        app = self._app
        if not app.accept(message.alarm_id, message.priority, server.session.key.key_id, message.who):
            return self._refuse(message, wire.RESULT_BAD_VALUE, "not active at this priority")
        return self._done(message)

    def _self_test(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        from crs_device.selftest import run_self_test

        return [wire.SelfTestIs(run_self_test(self._app, message.what))]

    def _maintenance(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        app = self._app
        if message.op == wire.MAINTENANCE_LEAVE:
            app.leave_maintenance()
        elif message.op != wire.MAINTENANCE_ENTER or not 1 <= message.seconds <= _MAINTENANCE_MAX_S:
            raise RemoteError("maintenance lasts 1 to %d s" % _MAINTENANCE_MAX_S)
        elif not app.enter_maintenance(message.seconds * 1000):
            return self._refuse(message, wire.RESULT_BUSY, "an alarm is active")
        return self._done(message)

    def _ping(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        return [wire.Pong(message.token)]

    def _keys(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        app = self._app
        if message.op == wire.KEYS_LIST:
            return [wire.KeysIs([wire.KeyInfo(key.key_id, key.role, key.name) for key in app.key_store.keys])]
        if message.op != wire.KEYS_REVOKE:
            raise RemoteError("keys operation %d" % message.op)
        if not app.key_store.revoke(message.key_id):
            raise RemoteError("no reader has key %d" % message.key_id)
        app.keys_changed()
        return self._done(message)

    def _status(self, server, message) -> list:  # type: ignore[no-untyped-def,type-arg]
        server.take_counts()
        return [self._app.status()]
