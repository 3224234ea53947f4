"""Stored settings and keys, put to use by the running application, changed, and wiped with a binding.

Loaded for one call: call `release()` last, it gives the heap of this code back.
"""

from crs_core import settings as table
from crs_core.errors import RemoteError
from crs_core.journal import record_layout, record_writer
from crs_core.units import SITES
from crs_device.heap import unload_modules
from crs_device.journal import header
from crs_device.settings.key_file import KeyFile
from crs_device.settings.settings_file import SettingsFile
from crs_device.two_slot import TwoSlot


def release() -> None:
    """Unload this module and what it loaded; call it last."""
    unload_modules(
        "crs_device.settings.provisioned",
        "crs_device.settings.settings_file",
        "crs_device.settings.key_file",
        "crs_device.settings",
        "crs_core.settings",
        "crs_core.keys",
        "crs_core.calibration",
    )


def load_settings(app) -> tuple[dict, str]:  # type: ignore[no-untyped-def,type-arg]
    """Put the stored settings to use; returns them ({} when there are none) and why they cannot be used, or ""."""
    store = SettingsFile()
    values = store.load() or {}
    use_settings(app, values, store.version)
    return values, store.fault


def use_settings(app, values: dict, version: int) -> None:  # type: ignore[no-untyped-def,type-arg]
    """Put complete settings to use, or none ({}); what is not kept here is read from flash when it is needed."""
    app.settings_version = version
    app.has_settings = bool(values)
    if not values:
        return
    app.journal_budget_kb = values["journal_budget_kb"]
    app.attention.set_times(values["sound_pause_s"] * 1000, values["host_away_alarm_s"] * 1000)
    app.presence.set_times(values["heartbeat_s"], values["host_away_low_s"], values["host_away_alarm_s"])
    if (values["measuring"] == "by_state") != (app.schedule is not None):
        _switch_schedule(app)
    if app.monitor is not None:
        app.monitor.site = SITES.index(values["site"])
        app.monitor.interval_ms = values["reading_interval_s"] * 1000


def _switch_schedule(app) -> None:  # type: ignore[no-untyped-def]
    """Begin to measure by state, or measure continuously again, with the light on."""
    if app.schedule is None:
        # stays loaded only on a wearable that measures by state
        from crs_device.measuring.schedule import Schedule

        app.schedule = Schedule()
        return
    app.schedule = None
    if app.sampling is not None:
        app.sampling.light(True, app.clock.ms())


def journal_settings(app, now_ms: int) -> None:  # type: ignore[no-untyped-def]
    """Write the CALIBRATION and SETTINGS records that later records refer to."""
    calibration_id, calibration = app.calibration
    payload = record_writer.write(
        record_layout.SETTINGS, app.settings_version, app.monitor.rule_hash, calibration_id, settings_text()
    )
    events = [(now_ms, record_layout.SETTINGS, payload)]
    if calibration_id:
        payload = record_writer.write(record_layout.CALIBRATION, calibration_id, calibration)
        events.insert(0, (now_ms, record_layout.CALIBRATION, payload))
    app.log.append_all(events)


def settings_text() -> str:
    """Canonical text of the stored settings; empty before provisioning."""
    values = SettingsFile().load()
    return table.encode(values).decode() if values else ""


def change_settings(app, text: bytes, by_custodian: bool) -> None:  # type: ignore[no-untyped-def]
    """Check, store and use changed settings. RemoteError names a wrong key; OSError: nothing changed."""
    store = SettingsFile()
    changes = table.parse_changes(text)
    _check_budget(app, int(changes.get("journal_budget_kb", app.journal_budget_kb)), by_custodian)
    made = None
    if "rules" in changes or "limits" in changes:
        values = store.load() or {}
        values.update(changes)
        made = rules_of(values)
    budget_kb = app.journal_budget_kb
    use_settings(app, store.change(text), store.version)
    if app.journal_budget_kb != budget_kb and app.log.journal is not None:
        # Now, while nothing waits for a laptop: at a later start it would make the oldest alarms go.
        journal = app.log.journal
        journal.budget_bytes = app.journal_budget_kb * 1024
        try:
            header.store_budget(journal.root, journal.budget_bytes)
        except OSError:
            pass  # a start then keeps the larger room as long as it is needed
    if made is not None and app.monitor is not None:  # None: at the start, which makes the monitor afterwards
        app.monitor.use_rules(made[0], made[1])


def _check_budget(app, budget_kb: int, by_custodian: bool) -> None:  # type: ignore[no-untyped-def]
    """RemoteError when this room of the journal is refused: a smaller one would drop what no laptop has."""
    if budget_kb == app.journal_budget_kb:
        return
    if not by_custodian:
        raise RemoteError("setting journal_budget_kb: only the custodian changes it")
    journal = app.log.journal
    if budget_kb < app.journal_budget_kb and (journal is None or journal.acked_seq < journal.head_seq):
        raise RemoteError(
            "setting journal_budget_kb: records wait for the laptop; try again when it has them"
        )


def rules_of(values: dict):  # type: ignore[no-untyped-def,type-arg]
    """(rules, hash) of complete settings or {}; RemoteError names the number that is refused."""
    # loaded for one call and unloaded below, to save heap
    from crs_core.grade import rules

    made = rules.in_use(values.get("rules", ""), values.get("limits", ""))
    try:
        return made, rules.rule_hash(made)
    finally:
        unload_modules("crs_core.grade.rules", "crs_core.grade.rules_table")


def drop_limits(app) -> None:  # type: ignore[no-untyped-def]
    """Delete the patient's own limits at the end of the binding; every other setting stays."""
    store = SettingsFile()
    if not (store.load() or {}).get("limits"):
        return
    values = store.change(b"limits=\n")
    use_settings(app, values, store.version)
    if app.monitor is not None:  # None: at the start, which reads the rules afterwards
        try:
            rules, rule_hash = rules_of(values)
        except RemoteError:  # a site's numbers of another application's table
            rules, rule_hash = rules_of({})
        app.monitor.use_rules(rules, rule_hash)


def drop_bonds(app) -> None:  # type: ignore[no-untyped-def]
    """Delete the bonds of the previous wearer's phones, whether the radio is on or not."""
    if app.ble is not None:
        app.ble.wipe_bonds()
        return
    bonds = TwoSlot("/bonds")
    if bonds.load():
        bonds.store(b"")


def settings_values() -> dict:  # type: ignore[type-arg]
    """The stored settings, {} when there are none."""
    return SettingsFile().load() or {}


def load_keys(app) -> bool:  # type: ignore[no-untyped-def]
    """Fill in the application's identity and keys; False when the wearable has none."""
    store = KeyFile()
    found = store.load()
    app.device_id = store.device_id or bytes(8)
    app.keys = store.keys
    return found


def revoke_key(app, key_id: int) -> bool:  # type: ignore[no-untyped-def]
    """Take a reader's key away; False when no reader has it."""
    store = KeyFile()
    store.load()
    done = store.revoke(key_id)
    app.keys = store.keys
    return done


def drop_readers(app) -> None:  # type: ignore[no-untyped-def]
    """Take every reader's key away."""
    store = KeyFile()
    store.load()
    store.drop_readers()
    app.keys = store.keys
