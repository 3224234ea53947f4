"""The composition root: each subsystem starts alone and reports; then a few tasks keep the wearable watching.

Nothing that is missing stops the rest: without sensors, journal, settings or keys the conditions are still stepped and
the local alarm still sounds. Tasks: sample (drain the FIFO), step (each whole second), output and button (real time),
link, and the watchdog's feed, which stops when sampling or stepping does.
"""

import asyncio
import gc
import sys

from crs_core import records
from crs_core.compat import const
from crs_core.grade import alarm_state as bits
from crs_core.reasons import (
    FAULT_EXCEPTION,
    FAULT_MISSING,
    PATIENT_BUTTON,
    SUBSYSTEM_ALARM,
    SUBSYSTEM_APP,
    SUBSYSTEM_JOURNAL,
    SUBSYSTEM_LINK,
    SUBSYSTEM_POWER,
    SUBSYSTEM_PPG,
    SUBSYSTEM_SETTINGS,
)
from crs_core.units import SITE_NONE, SITES
from crs_core.wire import message as wire
from crs_device import health as counts
from crs_device.alarm_output import MEASURING, NOT_MONITORING, AlarmOutput
from crs_device.attention import Attention
from crs_device.button import LONG, SHORT, Button
from crs_device.event_log import EventLog
from crs_device.power import Power
from crs_device.presence import Presence
from crs_device.version import APP_VERSION

_SAMPLE_EVERY_MS = const(320)
_OUTPUT_EVERY_MS = const(25)
_LINK_EVERY_MS = const(4)
_SLOW_EVERY_MS = const(10_000)
_STATE_EVERY_MS = const(3_600_000)
_FEED_EVERY_MS = const(1000)
_STALLED_MS = const(3000)  # sampling or stepping without progress: the watchdog is no longer fed
_HEALTHY_MS = const(60_000)
_LOST_AT_CUT_MS = const(120_000)
_BUTTON_ACCEPTED = const(3)
_MAINTENANCE_HOST = const(2)
_MAINTENANCE_REPL = const(1)
_JOURNAL_ROOT = "/journal"


class App:
    """The running application. `board` is a firmware/boards object; `guard` is boot.py's (None in tests)."""

    def __init__(self, board, guard=None) -> None:  # type: ignore[no-untyped-def]
        self.board = board
        self.clock = board.clock
        self.guard = guard
        self.health = counts.Health()
        self.log = EventLog(None, self.health)
        self.output = AlarmOutput(board.led, board.buzzer, board.vibration)
        self.power = Power(board)
        self.settings: dict | None = None  # type: ignore[type-arg]
        self.settings_store = self.key_store = None  # type: ignore[var-annotated]
        self.sampling = self.monitor = self.server = self.requests = self.binding = None  # type: ignore[var-annotated]
        self.attention: Attention | None = None
        self.presence: Presence | None = None
        self.boot_number = 0
        self._maintenance_until_ms = -1
        self._last_progress = (0, 0)
        self._progress_ms = 0

    # --- start --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Bring up every subsystem, most urgent first: output, settings, conditions, then sensors, journal, link."""
        self.output.show(0, 0, self.clock.real_ms(), MEASURING)
        self.output.tick(self.clock.real_ms())
        self._alone(SUBSYSTEM_SETTINGS, self._start_settings)
        settings = self.settings or {}
        self.attention = Attention(
            settings.get("sound_pause_s", 120) * 1000, settings.get("host_away_alarm_s", 60) * 1000
        )
        self.presence = Presence(
            self.clock,
            settings.get("heartbeat_s", 15),
            settings.get("host_away_low_s", 1800),
            settings.get("host_away_alarm_s", 60),
        )
        self._alone(SUBSYSTEM_JOURNAL, self._start_journal)
        self._alone(SUBSYSTEM_APP, self._start_binding)
        self._alone(SUBSYSTEM_ALARM, self._start_monitor)
        self._alone(SUBSYSTEM_PPG, self._start_sampling)
        self._alone(SUBSYSTEM_POWER, self.power.read)
        self._alone(SUBSYSTEM_LINK, self._start_link)
        self._alone(SUBSYSTEM_JOURNAL, self._journal_start)
        gc.collect()

    def _alone(self, subsystem: int, begin) -> None:  # type: ignore[no-untyped-def]
        try:
            begin()
        except Exception as error:
            sys.print_exception(error)
            self.health.count(counts.TASK_CRASH)
            self.health.fault(subsystem, FAULT_EXCEPTION, repr(error))
        gc.collect()

    def _start_settings(self) -> None:
        from crs_device.keys import KeyStore
        from crs_device.settings import SettingsStore

        self.settings_store = SettingsStore()
        self.key_store = KeyStore()
        self.settings = self.settings_store.load()
        if self.settings is None:
            self.health.count(counts.SETTINGS_BAD)
            self.health.fault(SUBSYSTEM_SETTINGS, FAULT_MISSING, self.settings_store.fault)
        if not self.key_store.load():
            self.health.count(counts.SETTINGS_BAD)
            self.health.fault(SUBSYSTEM_SETTINGS, FAULT_MISSING, "keys")

    def _start_journal(self) -> None:
        from crs_device.journal import boot_count
        from crs_device.journal.header import JournalMissing
        from crs_device.journal.journal import Journal

        self.boot_number = boot_count.next_boot()
        budget = (self.settings or {}).get("journal_budget_kb", 1024) * 1024
        flags = 1 if self.board.simulated else 0
        journal = Journal(_JOURNAL_ROOT, self.boot_number, self.board.random_bytes, budget, flags)
        try:
            journal.open()
        except (JournalMissing, OSError) as error:
            self.health.fault(SUBSYSTEM_JOURNAL, FAULT_MISSING, str(error.args[0]))
            return
        if journal.boot != self.boot_number:
            self.boot_number = journal.boot
            boot_count.raise_to(journal.boot)
        self.log = EventLog(journal, self.health)

    def _start_binding(self) -> None:
        from crs_device.binding import Binding

        self.binding = Binding(self)
        if self.log.journal is not None and self.key_store is not None:
            self.binding.resume()

    def _start_monitor(self) -> None:
        from crs_core.grade.rules import DEFAULT
        from crs_device.monitor import Monitor

        settings = self.settings or {}
        site = SITES.index(settings["site"]) if "site" in settings else SITE_NONE
        self.monitor = Monitor(self, DEFAULT, site, settings.get("reading_interval_s", 10))
        self.monitor.is_bound = self.binding.is_bound
        states = self.log.journal.last_state() if self.log.journal is not None else None
        if states is not None:
            fault = self.monitor.restore(states[0], states[1], self.clock.ms())
            if fault:
                self.health.fault(SUBSYSTEM_ALARM, FAULT_EXCEPTION, fault)
            self.monitor.show(
                self.clock.ms()
            )  # an alarm that was not finished sounds again, before anything else

    def _start_sampling(self) -> None:
        from crs_device.sampling import Sampling

        self.sampling = Sampling(self.board.i2c, self.settings or {}, self.log, self.health)

    def _start_link(self) -> None:
        from crs_core.wire.session import DeviceSession
        from crs_device.link.requests import Requests
        from crs_device.link.serial_port import SerialPort
        from crs_device.link.server import LinkServer

        journal = self.log.journal
        journal_id = journal.journal_id if journal is not None else bytes(8)
        device_id = self.key_store.device_id or bytes(8)
        session = DeviceSession(device_id, journal_id, self.key_store.keys, self.board.random_bytes)
        port = SerialPort(self.board.stdin, self.board.stdout)
        self.requests = Requests(self)
        self.server = LinkServer(
            port, session, journal, self.requests.handle, self.presence, self.health, self.clock
        )

    def _journal_start(self) -> None:
        """The first records of a boot: what restarted, with which settings and states."""
        journal = self.log.journal
        if journal is None:
            return
        now_ms = self.clock.ms()
        alarm_state, grader_state = self.monitor.states(now_ms)
        boot = records.encode_boot(
            self.board.reset_cause() & 0xFF,
            journal.last_boot,
            journal.last_ms,
            _LOST_AT_CUT_MS if journal.last_boot else 0,
            self.settings_version,
            self.monitor.rule_hash,
            APP_VERSION,
            alarm_state,
            grader_state,
        )
        self.drain()
        self.log.append(now_ms, records.BOOT, boot)
        self.journal_settings(now_ms)
        self.monitor.journal_states(2, now_ms)
        if self.guard is not None and self.guard.fell_back:
            self.health.fault(
                SUBSYSTEM_APP, FAULT_EXCEPTION, "went back to application slot " + self.guard.slot
            )

    # --- what the parts ask of each other --------------------------------------------------------------------------

    @property
    def vitals(self):  # type: ignore[no-untyped-def]
        """The newest values, all absent without sensors."""
        from crs_device.sampling import NOTHING

        return self.sampling.vitals if self.sampling is not None else NOTHING

    @property
    def in_maintenance(self) -> bool:
        """Whether somebody is servicing the wearable: it is not monitoring."""
        return self._maintenance_until_ms >= 0

    @property
    def settings_version(self) -> int:
        """Version of the stored settings, 0 before provisioning."""
        return self.settings_store.version if self.settings_store is not None else 0

    def settings_text(self) -> str:
        """Canonical text of the settings in use; empty before provisioning."""
        from crs_core import settings

        return settings.encode(self.settings).decode() if self.settings else ""

    def measure(self, now_ms: int):  # type: ignore[no-untyped-def]
        """Values of this second."""
        return self.sampling.measure(now_ms) if self.sampling is not None else self.vitals

    def drain(self) -> None:
        """Empty the FIFO: a flash write comes next and may hold everything up."""
        if self.sampling is not None:
            self.sampling.poll(self.clock.ms())

    def fault_bits(self) -> int:
        """FAULT_* bits of the alarm inputs."""
        now_ms = self.clock.ms()
        faults = 0
        sampling = self.sampling
        if sampling is None or sampling.thermometer.fault:
            faults |= bits.FAULT_TEMP_SENSOR
        if sampling is None or not sampling.optical.present:
            faults |= bits.FAULT_PPG_SENSOR
        if self.log.is_faulty:
            faults |= bits.FAULT_JOURNAL
        if self.log.journal is not None and self.log.journal.counters["events_lost"]:
            faults |= bits.FAULT_RECORDS_LOST
        if self.power.is_low:
            faults |= bits.FAULT_LOW_BATTERY
        if self.presence.is_quiet(now_ms):
            faults |= bits.FAULT_HOST_QUIET
        if self.presence.is_long_away(now_ms):
            faults |= bits.FAULT_HOST_AWAY
        if self.in_maintenance:
            faults |= bits.FAULT_MAINTENANCE
        return faults

    def ring(self, alarm: wire.Alarm) -> None:
        """Tell the host in session that the alarms changed."""
        if self.server is not None:
            self.server.ring(alarm)

    def live(self, live: wire.Live) -> None:
        """Show the newest values to the host in session."""
        if self.server is not None:
            self.server.live(live)

    def accept(self, alarm: int, priority: int, key_id: int, who: str) -> bool:
        """A person elsewhere accepted an alarm: give the sign, stop its sound, journal it. False: not active so."""
        now_ms = self.clock.ms()
        if not self.attention.accept(alarm, priority, now_ms):
            return False
        self.output.someone_knows(self.clock.real_ms())
        if alarm == PATIENT_BUTTON:
            self.monitor.press(_BUTTON_ACCEPTED)
        self.monitor.show(now_ms)
        self.drain()
        self.log.append(now_ms, records.ACCEPTED, records.encode_accepted(alarm, priority, key_id, who))
        return True

    def status(self) -> wire.StatusIs:
        """How the wearable is."""
        journal = self.log.journal
        flags = wire.STATUS_SIMULATED if self.board.simulated else 0
        if self.binding is not None and self.binding.is_bound:
            flags |= wire.STATUS_BOUND
        if self.log.is_faulty:
            flags |= wire.STATUS_JOURNAL_FAULT
        if self.in_maintenance:
            flags |= wire.STATUS_MAINTENANCE
        return wire.StatusIs(
            self.boot_number,
            self.clock.ms(),
            journal.head_seq if journal is not None else 0,
            journal.acked_seq if journal is not None else 0,
            self.settings_version,
            flags,
            min(max(self.power.battery_mv, 0), 0xFFFF),
            self.board.heap_free(),
            journal.binding_id if journal is not None else bytes(8),
            self.health.pairs(),
        )

    def change_settings(self, text: bytes) -> None:
        """Check, keep, use and journal new settings. RemoteError names a wrong key; OSError: nothing changed."""
        self.settings = self.settings_store.change(text)
        settings = self.settings
        self.monitor.site = SITES.index(settings["site"])
        self.monitor.interval_ms = settings["reading_interval_s"] * 1000
        self.attention.set_times(settings["sound_pause_s"] * 1000, settings["host_away_alarm_s"] * 1000)
        self.presence.set_times(
            settings["heartbeat_s"], settings["host_away_low_s"], settings["host_away_alarm_s"]
        )
        self.drain()
        self.journal_settings(self.clock.ms())

    def journal_settings(self, now_ms: int) -> None:
        """Write the SETTINGS record that later records refer to."""
        payload = records.encode_settings(
            self.settings_version,
            self.monitor.rule_hash,
            (self.settings or {}).get("calibration_id", 0),
            self.settings_text(),
        )
        self.log.append(now_ms, records.SETTINGS, payload)

    def keys_changed(self) -> None:
        """The key file changed: sessions under a key that is gone end."""
        if self.server is not None:
            self.server.set_keys(self.key_store.keys)

    def journal_replaced(self) -> None:
        """A binding made a new journal: the host must begin anew."""
        if self.server is not None:
            self.server.set_journal_id(self.log.journal.journal_id)

    # --- maintenance ------------------------------------------------------------------------------------------------

    def enter_maintenance(self, span_ms: int) -> bool:
        """Stop watching for a while, shown and journaled; refused while an alarm of MEDIUM or HIGH is active."""
        for _, priority in self.monitor.active:
            if priority >= 2:
                return False
        now_ms = self.clock.ms()
        was_in = self.in_maintenance
        self._maintenance_until_ms = now_ms + span_ms
        self.monitor.show(now_ms)
        if not was_in:
            self.drain()
            self.log.append(now_ms, records.MAINTENANCE, records.encode_maintenance(1, _MAINTENANCE_HOST))
        return True

    def leave_maintenance(self) -> None:
        """Watch again."""
        if not self.in_maintenance:
            return
        self._maintenance_until_ms = -1
        now_ms = self.clock.ms()
        self.monitor.show(now_ms)
        self.drain()
        self.log.append(now_ms, records.MAINTENANCE, records.encode_maintenance(2, _MAINTENANCE_HOST))

    def interrupted(self) -> None:
        """Ctrl-C took the program: silence, say "not monitoring" by light, journal it if flash lets us."""
        self.output.show(0, 0, self.clock.real_ms(), NOT_MONITORING)
        self.output.off()
        if self.guard is not None:
            self.guard.hold()
        if self.server is not None:
            self.server.abandon()
        self.log.flush()
        self.log.append(
            self.clock.ms(), records.MAINTENANCE, records.encode_maintenance(1, _MAINTENANCE_REPL)
        )

    # --- tasks ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run every task; returns never, unless a task itself cannot be kept alive."""
        self._progress_ms = self.clock.real_ms()
        await asyncio.gather(
            self._keep(self._sample_task),
            self._keep(self._step_task),
            self._keep(self._output_task),
            self._keep(self._link_task),
            self._keep(self._slow_task),
            self._keep(self._feed_task),
        )

    async def _keep(self, task) -> None:  # type: ignore[no-untyped-def]
        """Run a task again after an unexpected error; a task that fails for good starves the watchdog, not the rest."""
        while True:
            try:
                await task()
            except Exception as error:
                sys.print_exception(error)
                self.health.count(counts.TASK_CRASH)
                self.health.fault(SUBSYSTEM_APP, FAULT_EXCEPTION, repr(error))
            await asyncio.sleep_ms(250)

    async def _sample_task(self) -> None:
        while True:
            self.drain()
            await self.clock.sleep_ms(_SAMPLE_EVERY_MS)

    async def _step_task(self) -> None:
        while True:
            now_ms = self.clock.ms()
            if self.in_maintenance and now_ms >= self._maintenance_until_ms:
                self.leave_maintenance()
            if self.monitor.step(now_ms):
                self.drain()
                self.log.tick(self.clock.ms())
            await self.clock.sleep_ms(1000 - self.clock.ms() % 1000)

    async def _output_task(self) -> None:
        button = Button(self.health, counts.BUTTON_BOUNCE)
        while True:
            real_ms = self.clock.real_ms()
            self.output.tick(real_ms)
            press = button.poll(not self.board.button.value(), real_ms)
            if press:
                self._pressed(press)
            await asyncio.sleep_ms(_OUTPUT_EVERY_MS)

    def _pressed(self, press: int) -> None:
        now_ms = self.clock.ms()
        if press == SHORT:
            self.attention.pause(now_ms)
        self.monitor.press(press)
        self.monitor.show(now_ms)
        self.drain()
        self.log.append(now_ms, records.BUTTON, records.encode_button(LONG if press == LONG else SHORT))

    async def _link_task(self) -> None:
        while self.server is None:
            await asyncio.sleep_ms(1000)
        while True:
            more = self.server.turn()
            await asyncio.sleep_ms(1 if more else _LINK_EVERY_MS)

    async def _slow_task(self) -> None:
        next_state_ms = self.clock.ms() + _STATE_EVERY_MS
        healthy_told = self.guard is None
        while True:
            await self.clock.sleep_ms(_SLOW_EVERY_MS)
            now_ms = self.clock.ms()
            self.power.read()
            if self.binding is not None:
                self.binding.tick()
            if now_ms >= next_state_ms:
                next_state_ms = now_ms + _STATE_EVERY_MS
                self.drain()
                self.monitor.journal_states(1, now_ms)
                if self.server is not None:
                    self.server.take_counts()
                self.log.append(now_ms, records.HEALTH, records.encode_health(self.health.pairs()))
            if not healthy_told and self.clock.real_ms() >= _HEALTHY_MS:
                healthy_told = True
                self.drain()
                self.guard.healthy()
            if gc.mem_free() * 10 < gc.mem_free() + gc.mem_alloc():
                gc.collect()
                if gc.mem_free() * 10 < gc.mem_free() + gc.mem_alloc():
                    self.health.count(counts.HEAP_LOW)

    async def _feed_task(self) -> None:
        if self.guard is not None:
            self.guard.release()
            wdt = self.guard.wdt
        else:
            wdt = self.board.wdt(8000)
        while True:
            if self._is_alive():
                wdt.feed()
            else:
                self.health.count(counts.WATCHDOG_HELD)
            await asyncio.sleep_ms(_FEED_EVERY_MS)

    def _is_alive(self) -> bool:
        """Whether sampling and stepping both went on within the last seconds of real time."""
        polls = self.sampling.polls if self.sampling is not None else self._last_progress[0] + 1
        steps = self.monitor.steps
        now = self.clock.real_ms()
        if polls > self._last_progress[0] and steps > self._last_progress[1]:
            self._last_progress = (polls, steps)
            self._progress_ms = now
        return now - self._progress_ms < _STALLED_MS


def run(guard) -> None:  # type: ignore[no-untyped-def]
    """Start the application on this board. Returns after Ctrl-C, with the REPL usable and the watchdog fed."""
    import boards

    app = App(boards.detect(), guard)
    try:
        app.start()
        asyncio.run(app.run())
    except KeyboardInterrupt:
        app.interrupted()
        raise
