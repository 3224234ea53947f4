"""Starts each subsystem alone, the most urgent first. What fails is reported, and the others go on.

Loaded once and unloaded when it is done; loaded again only when the journal is opened later. Each function imports what
it starts: so a part that cannot be loaded stops no other, and code that is needed once is unloaded, to save heap.
"""

import gc
import sys

from crs_core.journal import record_layout, record_writer
from crs_core.compat import const
from crs_core.errors import CoreError
from crs_core.codes import (
    FAULT_EXCEPTION,
    FAULT_MISSING,
    FAULT_UNREADABLE,
    SUBSYSTEM_ALARM,
    SUBSYSTEM_APP,
    SUBSYSTEM_JOURNAL,
    SUBSYSTEM_LINK,
    SUBSYSTEM_POWER,
    SUBSYSTEM_PPG,
    SUBSYSTEM_SETTINGS,
)
from crs_core.grade.alarm_state import FLAG_AWAY, FLAGS
from crs_core.units import SITE_NONE, SITES
from crs_device import health as counts
from crs_device.alarm.output import MEASURING
from crs_device.journal.event_log import EventLog
from crs_device.heap import unload_modules
from crs_device.version import APP_VERSION

_LOST_AT_CUT_MS = const(120_000)  # age of the oldest reading that a cut can lose
_JOURNAL_ROOT = "/journal"
_values: dict = {}  # type: ignore[type-arg]  # the settings while the start runs


def start(app) -> None:  # type: ignore[no-untyped-def]
    """Start light, settings, journal, conditions, sensors, power, link; then write the first records."""
    app.output.show(0, 0, app.clock.real_ms(), MEASURING)
    _alone(app, SUBSYSTEM_SETTINGS, _settings)
    _alone(app, SUBSYSTEM_JOURNAL, _journal)
    _alone(app, SUBSYSTEM_APP, _unfinished_binding)
    _alone(app, SUBSYSTEM_ALARM, _monitor)
    _alone(app, SUBSYSTEM_PPG, _sampling)
    _alone(app, SUBSYSTEM_POWER, _power)
    _alone(app, SUBSYSTEM_LINK, _link)
    _alone(app, SUBSYSTEM_LINK, _radio)
    _alone(app, SUBSYSTEM_JOURNAL, _first_records)


def retry_journal(app) -> None:  # type: ignore[no-untyped-def]
    """Try again to open a journal that could not be opened at the start; then go on as after a start."""
    _alone(app, SUBSYSTEM_JOURNAL, _journal)
    journal = app.log.journal
    if journal is None:
        return
    # Only now it is known whose journal it is, and so which limits count.
    _alone(app, SUBSYSTEM_ALARM, _rules)
    _alone(app, SUBSYSTEM_ALARM, _restore)
    if app.sampling is not None:
        app.sampling.log = app.log
    for server in app.servers:
        server.adopt(journal)
    if app.ble is not None:
        app.ble.keys_changed()
    _alone(app, SUBSYSTEM_JOURNAL, _first_records)


def _alone(app, subsystem: int, begin) -> None:  # type: ignore[no-untyped-def]
    try:
        begin(app)
    except Exception as error:
        sys.print_exception(error)
        app.health.count(counts.TASK_CRASH)
        app.health.fault(subsystem, FAULT_EXCEPTION, repr(error))
    gc.collect()


def _settings(app) -> None:  # type: ignore[no-untyped-def]
    from crs_device.settings import provisioned

    values, fault = provisioned.load_settings(app)
    _values.update(values)
    if fault:
        app.health.count(counts.SETTINGS_BAD)
        app.health.fault(SUBSYSTEM_SETTINGS, FAULT_MISSING, fault)
    if not provisioned.load_keys(app):
        app.health.count(counts.SETTINGS_BAD)
        app.health.fault(SUBSYSTEM_SETTINGS, FAULT_MISSING, "no keys")
    provisioned.release()


def _journal(app) -> None:  # type: ignore[no-untyped-def]
    from crs_device.journal import boot_count
    from crs_device.journal.header import JournalMissing
    from crs_device.journal.journal import Journal

    if not app.boot_number:
        app.boot_number = boot_count.next_boot()
    budget = app.journal_budget_kb * 1024
    flags = 1 if app.board.simulated else 0
    journal = Journal(_JOURNAL_ROOT, app.boot_number, app.draw, budget, flags)
    try:
        journal.open()
    except (JournalMissing, OSError) as error:
        app.health.fault(SUBSYSTEM_JOURNAL, FAULT_MISSING, str(error.args[0]))
        return
    if journal.boot != app.boot_number:
        app.boot_number = journal.boot
        boot_count.raise_to(journal.boot)
    app.log = EventLog(journal, app.health, app.drain)
    unload_modules(
        "crs_device.journal.boot_count",
        "crs_device.journal.recover",
        "crs_device.journal.handover",
        "crs_core.journal.record_reader",
        "crs_core.journal.record_types",
        "crs_core.journal.codec1_reader",
        "crs_core.journal.codec2_reader",
        "crs_core.journal.block_reader",
    )


def _unfinished_binding(app) -> None:  # type: ignore[no-untyped-def]
    from crs_device.binding import Binding

    if app.log.journal is not None:
        Binding(app).resume()
    unload_modules("crs_device.binding")


def _monitor(app) -> None:  # type: ignore[no-untyped-def]
    from crs_core.grade import grader
    from crs_device.settings import provisioned
    from crs_device.monitor import Monitor

    site = SITES.index(_values["site"]) if "site" in _values else SITE_NONE
    rules, rule_hash = provisioned.rules_of({})
    app.monitor = Monitor(app, rules, rule_hash, site, _values.get("reading_interval_s", 10))
    _rules(app)
    grader.prepare()
    unload_modules("crs_core.grade.astct", "crs_core.grade.scale")
    _restore(app)


def _rules(app) -> None:  # type: ignore[no-untyped-def]
    """Use the site's signed numbers and, while a patient is bound, that patient's limits on top."""
    from crs_device.settings import provisioned

    values = provisioned.settings_values()
    limits = values.get("limits", "") if app.is_bound else ""
    # Numbers that this application cannot read are reported; the others are used.
    for rules_text, limits_text in (
        (values.get("rules", ""), limits),
        ("", limits),
        (values.get("rules", ""), ""),
    ):
        try:
            rules, rule_hash = provisioned.rules_of({"rules": rules_text, "limits": limits_text})
        except CoreError as error:
            app.health.fault(SUBSYSTEM_SETTINGS, FAULT_EXCEPTION, str(error.args[0]))
            continue
        app.monitor.use_rules(rules, rule_hash)
        break
    provisioned.release()


def _restore(app) -> None:  # type: ignore[no-untyped-def]
    from crs_core.grade import alarms, grader

    app.monitor.is_bound = app.is_bound
    states = app.log.journal.last_state() if app.log.journal is not None else None
    if states is None:
        return
    now_ms = app.clock.ms()
    monitor = app.monitor
    alarm_state, grader_state = monitor.alarm_state, monitor.grader_state
    try:
        if states[0]:
            alarm_state = alarms.decode_state(states[0], now_ms)
    except CoreError as error:
        app.health.fault(SUBSYSTEM_ALARM, FAULT_EXCEPTION, str(error.args[0]))
    try:
        if states[1]:
            grader_state = grader.after_boot(grader.decode_state(states[1], now_ms), monitor.rules)
    except CoreError as error:
        app.health.fault(SUBSYSTEM_ALARM, FAULT_EXCEPTION, str(error.args[0]))
    monitor.resume(alarm_state, grader_state)
    if alarm_state[FLAGS] & FLAG_AWAY:
        # The pause ends here, as PAUSE_OVER: nobody knows for how long the power was off.
        from crs_device.measuring.pause import Pause

        app.pause = Pause(1_800_000)
        unload_modules("crs_device.measuring.pause")
    # An alarm that had not ended sounds again before anything else starts.
    monitor.show(now_ms)


def _sampling(app) -> None:  # type: ignore[no-untyped-def]
    from crs_core import calibration
    from crs_device.measuring.sampling import Sampling
    from crs_device.sensors.drivers import report_incomplete

    report_incomplete(app.health)
    del report_incomplete

    try:
        used = calibration.in_use(_values.get("calibration", ""), _values.get("calibration_id", 1))
    except CoreError as error:
        # It is of another application. The record names the curve that is used instead.
        app.health.fault(SUBSYSTEM_SETTINGS, FAULT_UNREADABLE, str(error.args[0]))
        used = calibration.in_use("", 1)
    unload_modules("crs_core.calibration")
    app.calibration = used[:2]
    app.sampling = Sampling(app.board.i2c, _values, app.log, app.health, used[2], used[3], app.clock.ms)


def _power(app) -> None:  # type: ignore[no-untyped-def]
    app.power.read()


def _link(app) -> None:  # type: ignore[no-untyped-def]
    from crs_device.link.requests import Requests
    from crs_device.link.serial_port import SerialPort

    app.requests = Requests(app)
    app.presence.may_return = app.requests.may_return
    app.serve(SerialPort(app.board.stdin, app.board.stdout))


def _radio(app) -> None:  # type: ignore[no-untyped-def]
    """Start the radio where the board has one and the settings ask for it; a board without one is no fault."""
    if _values.get("ble", "on") != "on" or app.requests is None:
        return
    try:
        import bluetooth
    except ImportError:
        return
    from crs_device.link.ble.ble_link import BleLink

    app.ble = BleLink(app, bluetooth)


def _first_records(app) -> None:  # type: ignore[no-untyped-def]
    """Journal BOOT, SETTINGS and GRADER_STATE: what restarted, with which settings and states."""
    from crs_device.settings import provisioned

    journal = app.log.journal
    if journal is None:
        return
    now_ms = app.clock.ms()
    alarm_state, grader_state = app.monitor.states(now_ms)
    boot = record_writer.write(
        record_layout.BOOT,
        app.board.reset_cause() & 0xFF,
        journal.last_boot,
        journal.last_ms,
        _LOST_AT_CUT_MS if journal.last_boot else 0,
        app.settings_version,
        app.monitor.rule_hash,
        APP_VERSION,
        alarm_state,
        grader_state,
    )
    app.log.append(now_ms, record_layout.BOOT, boot)
    provisioned.journal_settings(app, now_ms)
    provisioned.release()
    app.monitor.journal_states(2, now_ms)
    if app.guard is not None and app.guard.fell_back:
        app.health.fault(SUBSYSTEM_APP, FAULT_EXCEPTION, "went back to application slot " + app.guard.slot)
