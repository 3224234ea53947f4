"""Requests that come seldom, such as settings, an acceptance or a binding. Loaded for one request.

Each function takes (app, server, parts, message), server the link that asked, and returns the answers; None stands
for "this part was taken, send the next". Each loads what it needs for itself, to save heap.
RemoteError is a bad value, OSError flash or hardware: the caller turns them into answers.
"""

from crs_core.compat import const
from crs_core.errors import RemoteError
from crs_core.journal import record_layout, record_writer
from crs_core.codes import PATIENT_BUTTON, PRIORITY_MEDIUM
from crs_core.wire import message as wire
from crs_device.health import REQUEST_REFUSED
from crs_device.heap import unload_modules

_TIME_MARK_EVERY_MS = const(3_600_000)
_CLOCK_MOVED_MS = const(500)  # beyond both bounds; a crystal of 100 ppm drifts 360 ms in an hour
_BOUND_MAX_MS = const(86_400_000)  # a mark that says less than the day dates nothing
_MAINTENANCE_MAX_S = const(1800)
_STATE_CHANGE = const(4)


def _result(message, code: int, detail: str = "") -> list:  # type: ignore[no-untyped-def,type-arg]
    return [wire.Result(wire.type_of(message), code, detail)]


def settings(app, server, parts, message) -> list | None:  # type: ignore[no-untyped-def,type-arg]
    """Show the settings; or check, store, use and journal changed ones."""
    from crs_device.settings import provisioned

    if message.op == wire.SETTINGS_GET:
        text = provisioned.settings_text()
        provisioned.release()
        return [wire.SettingsIs(app.settings_version, text.encode())]
    if message.op != wire.SETTINGS_SET:
        raise RemoteError("unknown settings operation %d" % message.op)
    whole = parts.add(message.part, message.parts, message.data)
    if whole is None:
        return None
    rule_hash = app.monitor.rule_hash
    try:
        provisioned.change_settings(app, whole, server.is_custodian)
        provisioned.journal_settings(app, app.clock.ms())
    finally:
        provisioned.release()
    if app.monitor.rule_hash != rule_hash:
        # The steps from here on go by other numbers.
        app.monitor.journal_states(_STATE_CHANGE, app.clock.ms())
    return _result(message, wire.RESULT_DONE, "version %d" % app.settings_version)


def context(app, server, parts, message) -> list | None:  # type: ignore[no-untyped-def,type-arg]
    """Journal what only people know, as the host signed it, and grade with it from the next reading on."""
    whole = parts.add(message.part, message.parts, message.data)
    if whole is None:
        return None
    if not app.is_bound:
        raise RemoteError("no patient is bound")
    # only for one entry: unloaded again by Monitor.grade_on
    from crs_core import context as entry
    from crs_core.grade import alarms, bedside, entry_numbers, grader

    monitor = app.monitor
    now_ms = app.clock.ms()
    age_ms, _, numbers = entry.decode(whole)
    after = bedside.enter(
        monitor.grader_state, entry_numbers.values_of(numbers), now_ms - age_ms, monitor.rules
    )
    # The state to restore from is journaled with the entry.
    state = record_writer.write(
        record_layout.GRADER_STATE,
        _STATE_CHANGE,
        monitor.rule_hash,
        alarms.encode_state(monitor.alarm_state, now_ms),
        grader.encode_state(after, now_ms),
    )
    events = [(now_ms, record_layout.CONTEXT, whole), (now_ms, record_layout.GRADER_STATE, state)]
    if not app.log.append_all(events, False):
        # Nothing is graded that is not journaled; the host sends it again.
        return _result(message, wire.RESULT_FAILED, "not journaled")
    monitor.grade_on(after)
    return _result(message, wire.RESULT_DONE)


def bind(app, server, parts, message) -> list | None:  # type: ignore[no-untyped-def,type-arg]
    """Start or end a patient's binding; an end may answer later (see binding.py)."""
    whole = parts.add(message.part, message.parts, message.data)
    if whole is None:
        return None
    from crs_device.binding import Binding

    binding = app.binding or Binding(app)
    app.binding = None
    try:
        return binding.request(server, message.op, message.binding_id, whole)  # type: ignore[no-any-return]
    finally:
        if binding.is_waiting:
            app.binding = binding
        else:
            unload_modules("crs_device.binding")


def time_mark(requests, app, server, utc_ms: int, bound_ms: int) -> None:  # type: ignore[no-untyped-def]
    """Journal this time when it says more than the last mark of the same key; no key keeps the marks of another out."""
    key_id, now_ms = server.key.key_id, app.clock.ms()
    mark = requests.marks.get(key_id)
    if bound_ms > _BOUND_MAX_MS:
        return
    if mark is not None and now_ms - mark[2] < _TIME_MARK_EVERY_MS:
        moved_ms = abs((utc_ms - mark[0]) - (now_ms - mark[2]))
        if moved_ms <= _CLOCK_MOVED_MS * app.clock.speed + bound_ms + mark[1]:
            return
    # The first mark of a key stays for each start of the wearable; later ones of the same start merge.
    try:
        refused = requests.charge(server, mark is None)
    except OSError:
        refused = "flash"  # the time is answered all the same
    if refused:
        app.health.count(REQUEST_REFUSED)
        return
    payload = record_writer.write(record_layout.TIME_MARK, utc_ms, bound_ms, key_id)
    if app.log.append(now_ms, record_layout.TIME_MARK, payload):
        requests.mark = requests.marks[key_id] = (utc_ms, bound_ms, now_ms)


def alarm_accept(app, server, parts, message) -> list:  # type: ignore[no-untyped-def,type-arg]
    """Take an acceptance; while one counts already, nothing is changed and nothing journaled again."""
    key_id, now_ms = server.key.key_id, app.clock.ms()
    if app.attention.is_taken(message.alarm_id, message.priority, now_ms):
        return _result(message, wire.RESULT_DONE, "accepted already")
    # the one acceptance that ends a condition
    refused = app.requests.charge(server, message.alarm_id == PATIENT_BUTTON)
    if refused:
        return _result(message, wire.RESULT_BUSY, refused)
    if not app.accept(message.alarm_id, message.priority, key_id, message.who):
        raise RemoteError("not active at this priority")
    return _result(message, wire.RESULT_DONE)


def self_test(app, server, parts, message) -> list:  # type: ignore[no-untyped-def,type-arg]
    """Test every part and report."""
    from crs_device.selftest import run_self_test

    text = run_self_test(app, message.what)
    unload_modules("crs_device.selftest")
    return [wire.SelfTestIs(text)]


def maintenance(app, server, parts, message) -> list:  # type: ignore[no-untyped-def,type-arg]
    """Enter or leave maintenance."""
    if message.op == wire.MAINTENANCE_LEAVE:
        app.leave_maintenance()
    elif message.op != wire.MAINTENANCE_ENTER or not 1 <= message.seconds <= _MAINTENANCE_MAX_S:
        raise RemoteError("maintenance lasts 1 to %d s" % _MAINTENANCE_MAX_S)
    else:
        for _, priority in app.monitor.active:
            if priority >= PRIORITY_MEDIUM:
                return _result(message, wire.RESULT_BUSY, "an alarm is active")
        app.enter_maintenance(message.seconds * 1000)
    return _result(message, wire.RESULT_DONE)


def pause(app, server, parts, message) -> list:  # type: ignore[no-untyped-def,type-arg]
    """Begin a planned pause, change its end, or end it."""
    from crs_device.measuring.pause import request

    refused = request(app, message.op, message.why, message.seconds, server.key.key_id)
    unload_modules("crs_device.measuring.pause")
    return _result(message, wire.RESULT_BUSY if refused else wire.RESULT_DONE, refused)


def keys(app, server, parts, message) -> list:  # type: ignore[no-untyped-def,type-arg]
    """List the keys without their secrets, or revoke a reader's key."""
    if message.op == wire.KEYS_LIST:
        return [wire.KeysIs([wire.KeyInfo(key.key_id, key.role, key.name) for key in app.keys])]
    if message.op != wire.KEYS_REVOKE:
        raise RemoteError("unknown keys operation %d" % message.op)
    from crs_device.settings import provisioned

    try:
        done = provisioned.revoke_key(app, message.key_id)
    finally:
        provisioned.release()
    if not done:
        raise RemoteError("no reader has the key %d" % message.key_id)
    app.keys_changed()
    return _result(message, wire.RESULT_DONE)
