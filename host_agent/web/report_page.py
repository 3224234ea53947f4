"""The one page for the emergency department, as `cytowatch report summary` writes it."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from host_agent.clock import Clock
from host_agent.store.bindings import open_bindings
from host_agent.store.db import Store, Tx
from host_agent.text import iso_utc

_SPAN_MS = 24 * 3_600_000


class ReportPage:
    """`/report/DEVICE.pdf`: the last 24 hours; `clock` is the agent's."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def pdf(self, request: Request) -> Response:
        """A file to print or to hand over; its name says no patient."""
        from host_agent.paper.summary import summary_pdf  # noqa: PLC0415 the agent starts faster without it

        device_id, now_ms = request.path_params["device_id"], self._clock.utc_ms()

        def read(tx: Tx) -> bytes | None:
            bound = next((one for one in open_bindings(tx) if one.device_id.hex() == device_id), None)
            return None if bound is None else summary_pdf(tx, bound, now_ms, _SPAN_MS)

        made = await self._store.read(read)
        if made is None:
            raise HTTPException(404)
        at = iso_utc(now_ms)[:16].replace(":", "").replace("T", "-")
        headers = {"Content-Disposition": f'attachment; filename="cytowatch-{at}.pdf"'}
        return Response(made, media_type="application/pdf", headers=headers)
