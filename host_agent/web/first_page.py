"""The first page, and what keeps it up to date."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from host_agent.clock import Clock
from host_agent.web import stream
from host_agent.web.frame import Frame
from host_agent.web.snapshot import Snapshot


class FirstPage:
    """`clock` is real."""

    def __init__(self, frame: Frame, snapshot: Snapshot, clock: Clock) -> None:
        self._frame = frame
        self._snapshot = snapshot
        self._clock = clock

    async def show(self, request: Request) -> Response:
        """Everything at one look; several patients, the worst first."""
        return self._frame.show(request, "page.html", await self._snapshot.state())

    async def live(self, request: Request) -> Response:
        """Server-sent events, as `stream.events`."""
        events = stream.events(self._snapshot, self._frame.render, self._clock, self._frame.boot)
        return StreamingResponse(events, media_type="text/event-stream")

    async def live_json(self, request: Request) -> Response:
        """The same for a browser without them: {"boot", "pieces"}."""
        pieces = await stream.pieces_now(self._snapshot, self._frame.render)
        return JSONResponse({"boot": self._frame.boot, "pieces": pieces})
