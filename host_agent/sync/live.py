"""What the running agent knows of each wearable now: link, live values, age of data.

Nothing here is a record: `status` shows it, the check for silence judges it, and a restart forgets it.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from crs_core import code_texts, codes, units
from crs_core.wire import message as wire

from host_agent.clock import Clock
from host_agent.errors import StoreError
from host_agent.fault_log import FaultLog
from host_agent.link.supervisor import LinkReport
from host_agent.store.insertion import IncomingBlock, IncomingGap, Inserted
from host_agent.store.journals import NO_BINDING
from host_agent.store.rows import Journal
from host_agent.sync.battery import Battery
from host_agent.sync.listener import SyncListener
from host_agent.text import (
    heart_rate_text,
    marked,
    priority_name,
    saturation_text,
    site_name,
    temperature_at_text,
)

_LOG = logging.getLogger(__name__)


@dataclass
class View:
    """One wearable. `*_s` are seconds of the agent's clock, `*_utc_ms` its wall time."""

    device_id: bytes
    journal: Journal | None = None
    status: Any = None
    live: Any = None
    live_utc_ms: int | None = None
    live_s: float | None = None  # when LIVE last moved
    session_live_t_ms: int | None = None  # its time, when it is of this session
    live_binding: bytes = b""  # of whom LIVE is: the binding of the session then
    bell: Any = None  # this session's last ALARM message
    bell_utc_ms: int | None = None
    has_data: bool = False  # any data since start
    stored_s: float | None = None  # when readings were last committed
    battery_s: float | None = None  # when the battery was last heard of
    is_caught_up: bool = False
    link: LinkReport | None = None
    battery: Battery = field(default_factory=Battery)
    not_understood: int = 0  # priority at which this session said that it cannot read a message
    # alarm → priority in this session's last ALARM message
    sounding: dict[int, int] = field(default_factory=dict)

    def live_now(self) -> Any:
        """LIVE with the alarms of whichever is newer, it or ALARM; None when it is about another binding.

        LIVE comes once in a reading interval, ALARM at each change.
        """
        if self.live is None or (self.status is not None and self.live_binding != self.status.binding_id):
            return None
        return self.live._replace(alarms=self.bell.alarms) if self._is_bell_newer() else self.live

    def alarms_utc_ms(self) -> int | None:
        """When the alarms of `live_now` were heard."""
        return self.bell_utc_ms if self._is_bell_newer() else self.live_utc_ms

    def _is_bell_newer(self) -> bool:
        if self.bell is None or self.live is None:
            return False
        return self.session_live_t_ms is None or self.bell.t_ms > self.session_live_t_ms


class Heard(NamedTuple):
    """When live values last moved and readings were last committed (agent's clock that nobody can set), and whether any
    data came since the agent started."""

    live_s: float | None
    has_data: bool
    stored_s: float | None = None


class Said(NamedTuple):
    """At `t_ms` of its boot a wearable measured what came at `heard_utc_ms`."""

    boot: int
    t_ms: int
    heard_utc_ms: int


@dataclass(frozen=True)
class Hooks:
    """What the agent does then; called in the event loop, must not block."""

    committed: Callable[[], None]
    opened: Callable[[View], None]
    unstored: Callable[[Journal, Sequence[IncomingBlock | IncomingGap], StoreError], None]
    unjournaled: Callable[[Journal, Any, Any], None]  # StatusIs, and the ALARM message with what rose
    # device id, why, and the priority of NOT_UNDERSTOOD
    not_understood: Callable[[bytes, str, int], None] = lambda device_id, why, priority: None
    caught_up: Callable[[], None] = lambda: None
    # as unjournaled, and the record is to come
    rang: Callable[[Journal, Any, Any], None] = lambda journal, status, alarm: None


class LiveViews(SyncListener):
    """What was heard of every wearable; the sync engine reports to it."""

    def __init__(self, clock: Clock, hooks: Hooks, without_data_s: float = 0.0) -> None:
        """`without_data_s`: for how long before this no data came, at least."""
        self.views: dict[bytes, View] = {}
        self.store_error: StoreError | None = None
        self.data_before_s = clock.monotonic() - without_data_s
        self._clock = clock
        self._hooks = hooks
        self._faults = FaultLog(_LOG)

    def view(self, device_id: bytes) -> View:
        """The view of a wearable, made when it is first heard of."""
        return self.views.setdefault(device_id, View(device_id))

    def newest_data_s(self) -> float | None:
        """When readings of any wearable were last committed in this run."""
        return max((view.stored_s for view in self.views.values() if view.stored_s is not None), default=None)

    def heard(self, device_ids: Iterable[bytes]) -> dict[bytes, Heard]:
        """When data of each of these wearables last came in this run; also of one that was never heard."""
        views = ((device_id, self.views.get(device_id, View(device_id))) for device_id in device_ids)
        return {device_id: Heard(view.live_s, view.has_data, view.stored_s) for device_id, view in views}

    def said_now(self) -> dict[bytes, Said]:
        """The moment of each wearable's newest LIVE of the session that is open."""
        return {
            view.device_id: Said(view.status.boot, view.session_live_t_ms, view.live_utc_ms)
            for view in self.views.values()
            if view.status is not None and view.session_live_t_ms is not None and view.live_utc_ms is not None
        }

    def on_open(self, device_id: bytes, journal: Journal | None, status: Any) -> None:
        """A session is open."""
        view = self.view(device_id)
        view.journal, view.status, view.is_caught_up = journal, status, False
        view.sounding, view.bell, view.not_understood = {}, None, codes.PRIORITY_NONE
        view.session_live_t_ms = None
        self._heard_battery(view)
        self._hooks.opened(view)
        self._hooks.committed()

    def on_live(self, device_id: bytes, live: Any) -> None:
        """Count it as data only when the wearable's time moved: a wearable that is stuck repeats itself."""
        view = self.view(device_id)
        if view.live is None or live.t_ms != view.live.t_ms:
            view.has_data = True
            view.live_s = self._clock.monotonic()
            view.live_utc_ms = self._clock.utc_ms()
        view.live, view.session_live_t_ms = live, live.t_ms
        view.live_binding = view.status.binding_id if view.status is not None else b""

    def on_doorbell(self, device_id: bytes, alarm: Any) -> None:
        """Alarm at once when no record will follow: the wearable's flash failed (`seq` 0), or the store fails.

        In the second case nothing is acknowledged, so the window fills and no more records come. Otherwise the record
        is waited for.
        """
        view = self.view(device_id)
        rising = tuple((a, p) for a, p in alarm.alarms if p > view.sounding.get(a, 0))
        view.sounding = dict(alarm.alarms)
        view.bell, view.bell_utc_ms = alarm, self._clock.utc_ms()
        is_bound = view.status is not None and view.status.binding_id != NO_BINDING
        if rising and is_bound and view.journal is not None:
            comes = alarm.seq and self.store_error is None
            hook = self._hooks.rang if comes else self._hooks.unjournaled
            hook(view.journal, view.status, alarm._replace(alarms=rising))

    def on_not_understood(self, device_id: bytes, why: str, may_alarm: bool) -> None:
        """Alarm once in a session, and once more when what cannot be read may be an alarm."""
        view = self.view(device_id)
        priority = codes.PRIORITY_HIGH if may_alarm else codes.PRIORITY_MEDIUM
        if priority > view.not_understood:
            view.not_understood = priority
            _LOG.warning("%s sent a message that cannot be true: %s", device_id.hex(), why)
            self._hooks.not_understood(device_id, why, priority)

    def on_status(self, device_id: bytes, status: Any) -> None:
        """A later StatusIs."""
        view = self.view(device_id)
        view.status = status
        self._heard_battery(view)

    def _heard_battery(self, view: View) -> None:
        is_charging = isinstance(view.live, wire.Live) and bool(view.live.status & units.STATUS_CHARGING)
        view.battery_s = self._clock.monotonic()
        view.battery.heard(self._clock.utc_ms(), view.status.battery_mv, is_charging=is_charging)

    def on_committed(self, journal: Journal, inserted: Inserted) -> None:
        """Records are committed."""
        if self.store_error is not None:  # of a session that ended before it could say so
            self.on_store(None)
        view = self.view(journal.device_id)
        view.journal = inserted.journal
        if inserted.records.readings:
            view.has_data = True
            view.stored_s = self._clock.monotonic()
        if inserted.records.events:
            self._hooks.committed()

    def on_unstored(
        self, journal: Journal, items: Sequence[IncomingBlock | IncomingGap], error: StoreError
    ) -> None:
        """Report the first failure in the log; hand over the records to be alarmed from memory."""
        self.on_store(error)
        self._hooks.unstored(journal, items, error)

    def on_store(self, error: StoreError | None) -> None:
        """Why the store takes nothing now; None: it takes everything again, whoever saw that it did not."""
        self.store_error = error
        if error is None:
            self._faults.over("store", "the store accepts writes again")
            self._hooks.committed()
        else:
            self._faults.tell(
                "store", f"{error}. Alarms go out from memory and nothing is acknowledged. {error.advice}"
            )

    def on_store_back(self, journal: Journal) -> None:
        """The store accepts writes again."""
        self.on_store(None)

    def on_caught_up(self, journal: Journal) -> None:
        """The store holds everything that the wearable had."""
        self.view(journal.device_id).is_caught_up = True
        self._hooks.caught_up()

    def on_report(self, before: LinkReport | None, report: LinkReport) -> None:
        """A link changed state."""
        if report.device_id is not None:
            view = self.view(report.device_id)
            shown = view.link
            # of two links of a wearable, the one in session is shown
            if report.state == "open" or shown is None or shown.port == report.port or shown.state != "open":
                view.link = report
                if report.state != "open":
                    view.is_caught_up = False
        self._log_report(before, report)

    def _log_report(self, before: LinkReport | None, report: LinkReport) -> None:
        """A link that fails again and again is written once, then counted; its tries in between are details."""
        text = f"{report.port}: {report.state.value.replace('_', ' ')}, {report.reason}"
        if report.state in ("lost", "refused", "at_repl"):
            advice = f". {report.advice}" if report.advice else ""
            self._faults.tell(report.port, text + advice, level=logging.WARNING)
        elif report.state == "open":
            self._faults.over(report.port, f"{report.port}: in session again")
            self._faults.tell(f"{report.port} open", text, level=logging.INFO)
        if before is None or (before.state, before.reason) != (report.state, report.reason):
            is_detail = report.state not in ("released", "standby", "stopped")
            _LOG.log(logging.DEBUG if is_detail else logging.INFO, "%s", text)


def live_values(live: Any) -> dict[str, Any] | None:
    """A LIVE message as plain values for JSON; None without one."""
    if not isinstance(live, wire.Live):
        return None
    return {
        "temp_cc": live.temp_cc,
        "spo2_tenths": live.spo2_tenths,
        "hr_bpm": live.hr_bpm,
        "pi_hundredths": live.pi_hundredths,
        "status": live.status,
        "fever": live.fever,
        "lower": live.lower,
        "upper": live.upper,
        "alarms": [list(pair) for pair in live.alarms],
    }


def live_text(live: Any, simulated: bool | None) -> str:
    """One line for people: what is measured now, and which alarms are raised. Whether they sound is not said here."""
    if not isinstance(live, wire.Live):
        return "no live values"
    names = [f"{code_texts.alarm_name(alarm)} {priority_name(priority)}" for alarm, priority in live.alarms]
    raised = f", raised: {', '.join(names)}" if names else ""
    return marked(simulated, live_values_text(live_values(live)) + raised)


def live_values_text(live: dict[str, Any] | None) -> str:
    """What `live_values` gave, in words."""
    if live is None:
        return "no live values"
    status = live["status"]
    temperature = temperature_at_text(live["temp_cc"], site_name(status), units.temp_state_of(status))
    saturation = saturation_text(live["spo2_tenths"], units.ppg_state_of(status))
    return f"{temperature}, SpO2 {saturation}, heart rate {heart_rate_text(live['hr_bpm'])}"
