"""The course of one patient: a chart, and the same in words beside it."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from host_agent.clock import Clock
from host_agent.store.bindings import label_of, open_bindings
from host_agent.store.db import Store, Tx
from host_agent.views.trend import SPANS_H, trend
from host_agent.web.frame import Frame


class TrendPage:
    """`/trend/DEVICE` and its data; `clock` is the agent's."""

    def __init__(self, frame: Frame, store: Store, clock: Clock) -> None:
        self._frame = frame
        self._store = store
        self._clock = clock

    async def show(self, request: Request) -> Response:
        """The chart's place, and the table and events in words."""
        found = await self._read(request, request.query_params.get("span", "6h"))
        shown = {**found, "device_id": request.path_params["device_id"], "spans": list(SPANS_H)}
        return self._frame.show(request, "trend.html", shown)

    async def data(self, request: Request) -> Response:
        """The columns of the chart."""
        found = await self._read(request, request.path_params["span"])
        return JSONResponse({name: found[name] for name in ("columns", "events")})

    async def _read(self, request: Request, span: str) -> dict[str, Any]:
        device_id, now_ms = request.path_params["device_id"], self._clock.utc_ms()

        def read(tx: Tx) -> dict[str, Any] | None:
            bound = next((one for one in open_bindings(tx) if one.device_id.hex() == device_id), None)
            if bound is None:
                return None
            return {
                **trend(tx, bound, span, now_ms),
                "patient": label_of(tx, bound.row) or bound.patient or "",
            }

        found = await self._store.read(read) if span in SPANS_H else None
        if found is None:
            raise HTTPException(404)
        return found
