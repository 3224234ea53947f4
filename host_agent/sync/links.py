"""Which links there are: serial ports as they are plugged in, a radio link for each wearable whose key is held here.

`supervisors`, `runners` and `reports` are by the link's name: a port, or `ble:` and the device id.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial

from host_agent.clock import Clock
from host_agent.config.model import Config
from host_agent.errors import NotEnrolled
from host_agent.keys.keyfile import DeviceKey
from host_agent.link import ble_radio
from host_agent.link.ble import BleTransport, open_ble
from host_agent.link.ble_radio import Radio
from host_agent.link.ownership import claim
from host_agent.link.ports import candidates
from host_agent.link.serial import open_serial
from host_agent.link.supervisor import LinkReport, LinkState, LinkSupervisor, OpenReporter
from host_agent.link.transport import Transport
from host_agent.link.usb_serials import Remembered
from host_agent.paths import Paths
from host_agent.sync.client import DeviceClient
from host_agent.sync.runner import SyncRunner

_RADIO_AGAIN_S = 0.4  # real: pause before looking again for a wearable that was in session
_SCAN_S = 3.0  # real: within this time a wearable that is plugged in is noticed

OpenPort = Callable[[str], Awaitable[Transport]]
MakeRunner = Callable[[str, bytes | None], SyncRunner]


def ble_name(device_id: bytes) -> str:
    """Name of the radio link of a wearable, used where a serial link has its port."""
    return f"ble:{device_id.hex()}"


class Links:
    """`make_runner(name, only_device)` makes the sessions of a link; `on_report(before, now)` gets each change."""

    def __init__(
        self,
        paths: Paths,
        config: Config,
        ports: Iterable[str],
        *,
        keys: Callable[[], Mapping[bytes, DeviceKey]],
        make_runner: MakeRunner,
        on_report: Callable[[LinkReport | None, LinkReport], None],
        clock: Clock,
        open_port: OpenPort = open_serial,
    ) -> None:
        """`ports` come on top of the configured ones."""
        self.ports = (*ports, *config.serial.ports)
        self.supervisors: dict[str, LinkSupervisor] = {}
        self.runners: dict[str, SyncRunner] = {}
        self.reports: dict[str, LinkReport] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._paths, self._config, self._keys = paths, config, keys
        self._make_runner, self._tell, self._clock, self._open_port = make_runner, on_report, clock, open_port
        self._remembered = Remembered(paths.home / "usb_serials.json")
        self._usb_serials: dict[str, str] = {}
        self._radio: Radio | None = None

    async def run(self, group: asyncio.TaskGroup) -> None:
        """Until cancelled: look for ports and keys, and start a link for each new one."""
        serial = self._config.serial
        while True:
            found = await asyncio.to_thread(
                partial(candidates, self.ports, self._remembered.serials, scan_usb=serial.scan_usb)
            )
            for candidate in found:
                if candidate.usb_serial:
                    self._usb_serials[candidate.port] = candidate.usb_serial
                if candidate.port not in self.supervisors:
                    self._start(group, candidate.port, self._serial_link(candidate.port))
            if self._config.ble.enabled and ble_radio.is_installed():
                for device_id in self._keys():
                    if ble_name(device_id) not in self.supervisors:
                        self._start(group, ble_name(device_id), self._radio_link(device_id))
            await self._clock.sleep(_SCAN_S)

    def bound_clients(self) -> list[tuple[int, DeviceClient, int, bool]]:
        """(binding row, client, boot, whether all is stored) of each wearable that is in session and bound here."""
        engines = [runner.engine for runner in self.runners.values()]
        return [
            (engine.journal.binding, engine.client, engine.status.boot, engine.is_caught_up)
            for engine in engines
            if engine is not None
            and engine.journal is not None
            and engine.journal.id
            and engine.journal.binding is not None
        ]

    def bound_devices(self) -> list[tuple[bytes, DeviceClient]]:
        """(device id, client) of each wearable that is in session and bound here."""
        clients = [one[1] for one in self.bound_clients()]
        engines = [runner.engine for runner in self.runners.values()]
        return [(one.device_id, one.client) for one in engines if one and one.client in clients]

    def _start(self, group: asyncio.TaskGroup, name: str, supervisor: LinkSupervisor) -> None:
        self.supervisors[name] = supervisor
        self.tasks[name] = group.create_task(supervisor.run(), name=f"link {name}")

    def _serial_link(self, port: str) -> LinkSupervisor:
        runner = self.runners[port] = self._make_runner(port, None)
        return LinkSupervisor(
            port,
            partial(self._open_port, port),
            runner.run_session,
            on_report=self._on_report,
            make_claim=lambda: claim(port, str(self._paths.home), self._clock.utc_ms()),
            clock=self._clock,
        )

    def _radio_link(self, device_id: bytes) -> LinkSupervisor:
        name = ble_name(device_id)
        self._radio = self._radio or Radio()
        radio, runner = self._radio, self._make_runner(name, device_id)
        self.runners[name] = runner

        async def open_transport() -> BleTransport:
            key = self._keys().get(device_id)
            if key is None:
                raise NotEnrolled(f"this laptop holds no key of wearable {device_id.hex()}")
            return await open_ble(radio, device_id, key.key, name)

        async def run_session(transport: Transport, opened: OpenReporter) -> None:
            assert isinstance(transport, BleTransport)

            def proved(device_id: bytes) -> None:
                transport.proved()
                opened(device_id)

            await runner.run_session(transport, proved)

        return LinkSupervisor(
            name,
            open_transport,
            run_session,
            on_report=self._on_report,
            clock=self._clock,
            standby=lambda: self._why_standby(device_id),
            opened_max_s=_RADIO_AGAIN_S,
        )

    def _why_standby(self, device_id: bytes) -> str:
        """The reason why a radio link rests: a cable serves the same wearable, and is faster."""
        for name, report in self.reports.items():
            if (
                name != ble_name(device_id)
                and report.device_id == device_id
                and report.state == LinkState.OPEN
            ):
                return f"{name} serves this wearable"
        return ""

    def _on_report(self, report: LinkReport) -> None:
        before = self.reports.get(report.port)
        self.reports[report.port] = report
        if report.state == LinkState.OPEN and report.port in self._usb_serials:
            self._remembered.add(self._usb_serials[report.port])
        self._tell(before, report)
        was_open = before is not None and before.state == LinkState.OPEN
        if report.device_id is not None and was_open != (report.state == LinkState.OPEN):
            radio_link = self.supervisors.get(ble_name(report.device_id))
            if radio_link is not None and radio_link.port != report.port:
                radio_link.reconsider()
