"""A board at its Python prompt monitors nobody: DEVICE_AT_REPL, HIGH, until a session opens again."""

from collections.abc import Callable, Iterable, Mapping

from crs_core.codes import DEVICE_AT_REPL, PRIORITY_HIGH

from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts
from host_agent.keys.keyfile import DeviceKey
from host_agent.link.supervisor import LinkReport, LinkState
from host_agent.store.db import Tx
from host_agent.store.devices import ensure_device_unheard
from host_agent.store.host_alarms import end_alarm, raise_alarm


class AtReplCheck:
    """Follows the links. A change that the store did not take is tried again at the next look."""

    name = "board at its prompt"
    every_s = 1.0
    least_real_s = 0.2

    def __init__(
        self,
        parts: CheckParts,
        *,
        reports: Callable[[], Iterable[LinkReport]],
        keys: Callable[[], Mapping[bytes, DeviceKey]],
    ) -> None:
        self._parts = parts
        self._reports = reports
        self._keys = keys
        self._kept: dict[
            str, tuple[LinkState, int]
        ] = {}  # by port: state and its start, as the store knows them

    async def look(self) -> None:
        """Raise for each board that shows a prompt, end for each that is in session."""
        for report in list(self._reports()):
            now = (report.state, report.since_utc_ms)
            if report.state not in (LinkState.AT_REPL, LinkState.OPEN) or self._kept.get(report.port) == now:
                continue
            device_id = report.device_id or self._only_enrolled()
            try:
                await self._parts.store.write(lambda tx, r=report, d=device_id: self._keep(tx, r, d))  # type: ignore[misc]
            except StoreError:
                continue
            self._kept[report.port] = now

    def _only_enrolled(self) -> bytes | None:
        """A prompt names no wearable, but a laptop with one key knows which it is."""
        enrolled = list(self._keys())
        return enrolled[0] if len(enrolled) == 1 else None

    def _keep(self, tx: Tx, report: LinkReport, device_id: bytes | None) -> None:
        derive, now_ms = self._parts.derive, self._parts.clock.utc_ms()
        device = ensure_device_unheard(tx, device_id, now_ms) if device_id else None
        if report.state == LinkState.AT_REPL:
            raise_alarm(
                tx, derive, device=device, alarm=DEVICE_AT_REPL, priority=PRIORITY_HIGH,
                detail=f"on {report.port}", utc_ms=now_ms,
            )  # fmt: skip
            return
        for about in {device, None}:
            end_alarm(tx, derive, device=about, alarm=DEVICE_AT_REPL, utc_ms=now_ms)
