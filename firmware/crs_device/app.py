"""The running application: what its parts ask of each other.

start.py starts the parts, each alone; tasks.py keeps them running. A missing part does not stop the others: without
sensors, journal, settings or keys the alarm conditions are still stepped and the local alarm still sounds.
"""

import asyncio
import gc

from crs_core.journal import record_layout, record_writer
from crs_core.compat import const
from crs_core.grade import alarm_state as bits
from crs_core.codes import PATIENT_BUTTON
from crs_core.units import WEAR_OFF
from crs_core.wire import hello
from crs_core.wire import message as wire
from crs_device.alarm.output import NOT_MONITORING, AlarmOutput
from crs_device.alarm.attention import Attention
from crs_device.journal.event_log import EventLog
from crs_device.health import Health
from crs_device.power import Power
from crs_device.alarm.host_presence import HostPresence
from crs_device.measuring.vitals import NOTHING
from crs_device.heap import unload_modules

TYPE_CHECKING = False  # MicroPython has no typing; mypy takes this name for true
if TYPE_CHECKING:
    from crs_device.monitor import Monitor
    from crs_device.measuring.pause import Pause
    from crs_device.measuring.schedule import Schedule

_MAINTENANCE_ENTERED = const(1)
_MAINTENANCE_LEFT = const(2)
_BY_REPL = const(1)
_BY_HOST = const(2)
_UNBOUND = bytes(8)
_COLLECT_EACH_BYTES = const(16_384)  # keeps the heap compact, so that a large message finds room


class App:
    """`board` is an object of firmware/boards; `guard` is boot.py's (None where boot.py did not run).

    Parts that may be missing: `log.journal`, `sampling`, `ble` (None), `servers` (empty); `schedule` (None: always
    measuring).
    `binding` is set only while an end waits.
    """

    def __init__(self, board, guard=None) -> None:  # type: ignore[no-untyped-def]
        self.board = board
        self.clock = board.clock
        self.guard = guard
        self.health = Health()
        self.log = EventLog(None, self.health, self.drain)
        self.output = AlarmOutput(board.led, board.buzzer, board.vibration)
        self.power = Power(board)
        self.attention = Attention(120_000, 60_000)
        self.presence = HostPresence(self.clock, 15, 1800, 60)
        self.boot_number = 0
        self.device_id = _UNBOUND
        self.keys: list = []  # type: ignore[type-arg]
        self.settings_version = 0
        self.has_settings = False
        self.journal_budget_kb = 1024
        self.calibration = (0, "")  # (id, text) of the one in use until the next start
        self.sampling = self.requests = self.binding = self.ble = None  # type: ignore[var-annotated]
        self.servers: list = []  # type: ignore[type-arg]  # one LinkServer for each carrier
        self.schedule: Schedule | None = None
        self.pause: Pause | None = None  # a planned pause, or the measuring that must follow it
        self.monitor: Monitor = None  # type: ignore[assignment]  # until start.py has made it
        self._maintenance_until_ms = -1
        self._drawn = 0

    @property
    def is_bound(self) -> bool:
        """Whether the journal belongs to a patient."""
        return self.log.journal is not None and self.log.journal.binding_id != _UNBOUND

    def serve(self, port, carrier=None):  # type: ignore[no-untyped-def]
        """Start a LinkServer for one more carrier and return it; `carrier` None: serial frames."""
        # loaded here, so that a link that cannot be loaded stops nothing else
        from crs_core.wire.session_device import DeviceSession
        from crs_device.link.server import LinkServer

        journal = self.log.journal
        journal_id = journal.journal_id if journal is not None else _UNBOUND
        session = DeviceSession(
            self.device_id, journal_id, self.keys, self.draw, carrier=carrier, boot=self.boot_number
        )
        server = LinkServer(
            port,
            session,
            journal,
            self.requests.handle,
            self.presence,
            self.health,
            self.clock,  # type: ignore[attr-defined]
        )
        self.servers.append(server)
        return server

    def draw(self, count: int) -> bytes:
        """At most 16 bytes that no start, no count and no moment had before, even when the chip's random numbers do."""
        self._drawn += 1
        drawn = self.board.random_bytes(hello.NONCE_BYTES)
        return hello.nonce(drawn, self.boot_number, self._drawn, self.clock.ticks())[:count]  # type: ignore[no-any-return]

    @property
    def is_pairing(self) -> bool:
        """Whether a phone may pair now."""
        return self.ble is not None and self.ble.window.is_open(self.clock.real_ms())  # type: ignore[no-any-return]

    # --- sensors and faults ---------------------------------------------------------------------------------------

    @property
    def vitals(self):  # type: ignore[no-untyped-def]
        """The newest values, all absent without sensors."""
        return self.sampling.vitals if self.sampling is not None else NOTHING

    def measure(self, now_ms: int):  # type: ignore[no-untyped-def]
        """Measure, and return the values of this second."""
        return self.sampling.measure(now_ms) if self.sampling is not None else NOTHING

    def drain(self) -> None:
        """Empty the FIFO of the optical sensor, just before a flash write that may stall everything."""
        if self.sampling is not None:
            self.sampling.poll(self.clock.ms())

    def fault_bits(self) -> int:
        """The FAULT_* bits that hold now, for the alarm conditions."""
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

    # --- what a host hears and asks -------------------------------------------------------------------------------

    def ring(self, alarm: wire.Alarm) -> None:
        """Tell the host in session that the alarms changed."""
        for server in self.servers:
            server.ring(alarm)
        if self.ble is not None:
            self.ble.ring()

    def live(self, live: wire.Live) -> None:
        """Show the newest values to the host in session."""
        for server in self.servers:
            server.live(live)
        if self.ble is not None:
            self.ble.show(live)

    def accept(self, alarm: int, priority: int, key_id: int, who: str) -> bool:
        """A person elsewhere accepted an alarm: signal it, stop the sound, journal it.

        False: the alarm is not active, or has risen above `priority`.
        """
        now_ms = self.clock.ms()
        if not self.attention.accept(alarm, priority, now_ms):
            return False
        self.output.someone_knows(self.clock.real_ms())
        if alarm == PATIENT_BUTTON:
            self.monitor.press(bits.BUTTON_ACCEPTED)
        self.monitor.show(now_ms)
        payload = record_writer.write(record_layout.ACCEPTED, alarm, priority, key_id, who)
        self.log.append(now_ms, record_layout.ACCEPTED, payload)
        return True

    def status(self) -> wire.StatusIs:
        """The answer to a request for the status."""
        journal = self.log.journal
        flags = wire.STATUS_SIMULATED if self.board.simulated else 0
        if self.is_bound:
            flags |= wire.STATUS_BOUND
        if self.log.is_faulty:
            flags |= wire.STATUS_JOURNAL_FAULT
        if self.in_maintenance:
            flags |= wire.STATUS_MAINTENANCE
        if self.pause_left_ms(self.clock.ms()) >= 0:
            flags |= wire.STATUS_IN_PAUSE
        return wire.StatusIs(
            self.boot_number,
            self.clock.ms(),
            journal.head_seq if journal is not None else 0,
            journal.acked_seq if journal is not None else 0,
            self.settings_version,
            flags,
            min(max(self.power.battery_mv, 0), 0xFFFF),
            self.board.heap_free(),
            journal.binding_id if journal is not None else _UNBOUND,
            self.health.pairs(),
        )

    def keys_changed(self) -> None:
        """The keys changed: end each session whose key is gone."""
        for server in self.servers:
            server.set_keys(self.keys)
        if self.ble is not None:
            self.ble.keys_changed()

    def journal_replaced(self) -> None:
        """A binding made a new journal: make every host start reading from its beginning."""
        if self.requests is not None:
            self.requests.forget_time()
        for server in self.servers:
            server.set_journal_id(self.log.journal.journal_id)
        if self.ble is not None:
            self.ble.keys_changed()

    # --- planned pause ----------------------------------------------------------------------------------------------

    def pause_left_ms(self, now_ms: int) -> int:
        """What is left of a planned pause; -1 when none runs."""
        return -1 if self.pause is None else self.pause.left_ms(now_ms)

    def step_pause(self, inputs, now_ms: int) -> None:  # type: ignore[no-untyped-def]
        """Count one second of a pause, or of the measuring after it."""
        if self.pause is not None and not self.pause.step(self, inputs, now_ms):
            self.pause = None

    def pause_on_charger(self) -> None:
        """Begin a planned pause when the strap has just come off and the wearable was put on its charger."""
        if self.power.is_charging and self.pause is None and self.is_bound and self.vitals.wear == WEAR_OFF:
            # loaded for one call, to save heap
            from crs_device.measuring.pause import on_charger

            on_charger(self)
            unload_modules("crs_device.measuring.pause")

    # --- maintenance ------------------------------------------------------------------------------------------------

    @property
    def in_maintenance(self) -> bool:
        """Whether a host asked to service the wearable, which then shows "not monitoring"."""
        return self._maintenance_until_ms >= 0

    def enter_maintenance(self, span_ms: int) -> None:
        """Show and journal "not monitoring" for `span_ms`."""
        was_in = self.in_maintenance
        self._maintenance_until_ms = self.clock.ms() + span_ms
        if not was_in:
            self._journal_maintenance(_MAINTENANCE_ENTERED)

    def leave_maintenance(self) -> None:
        """Show and journal that the wearable monitors again."""
        if self.in_maintenance:
            self._maintenance_until_ms = -1
            self._journal_maintenance(_MAINTENANCE_LEFT)

    def end_maintenance_if_due(self, now_ms: int) -> None:
        """Leave maintenance when its time is over."""
        if self.in_maintenance and now_ms >= self._maintenance_until_ms:
            self.leave_maintenance()

    def _journal_maintenance(self, op: int) -> None:
        now_ms = self.clock.ms()
        self.monitor.show(now_ms)
        self.log.append(
            now_ms, record_layout.MAINTENANCE, record_writer.write(record_layout.MAINTENANCE, op, _BY_HOST)
        )

    def interrupted(self) -> None:
        """Ctrl-C ended the program: feed the watchdog, stop the sound, show and journal "not monitoring"."""
        if self.guard is not None:
            self.guard.hold()
        self.output.show(0, 0, self.clock.real_ms(), NOT_MONITORING)
        self.output.off()
        for server in self.servers:
            server.abandon()
        self.log.flush()
        payload = record_writer.write(record_layout.MAINTENANCE, _MAINTENANCE_ENTERED, _BY_REPL)
        self.log.append(self.clock.ms(), record_layout.MAINTENANCE, payload)
        if self.ble is not None:  # last, because a radio stack may be slow or fail
            self.ble.off()


def run(guard) -> None:  # type: ignore[no-untyped-def]
    """Run the application on this board until Ctrl-C, which is raised again after `interrupted`."""
    # Loaded here: boards needs a board, and start is unloaded again to save heap.
    import boards
    from crs_device.start import start

    app = App(boards.detect(), guard)
    try:
        start(app)
        del start
        from crs_device.tasks import run_all

        unload_modules("crs_device.start", "crs_device.version")
        gc.threshold(_COLLECT_EACH_BYTES)
        asyncio.run(run_all(app))
    except KeyboardInterrupt:
        app.interrupted()
        raise
