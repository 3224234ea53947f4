"""Every address of the page. Nothing is done by a GET."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from host_agent.clock import Clock
from host_agent.control.parts import Parts
from host_agent.errors import HostAgentError
from host_agent.web.acts import Acts
from host_agent.web.alarm_page import AlarmPage
from host_agent.web.connections import ENDLESS
from host_agent.web.entry_page import EntryPage
from host_agent.web.first_page import FirstPage
from host_agent.web.frame import FOLDER, Frame
from host_agent.web.report_page import ReportPage
from host_agent.web.snapshot import Snapshot
from host_agent.web.trend_page import TrendPage

Answer = Callable[[Request], Awaitable[Response]]


def pages(frame: Frame, parts: Parts, acts: Acts, clock: Clock) -> Starlette:
    """The application without what `safety` puts before it; `clock` is real."""
    snapshot = Snapshot(parts, clock)
    first = FirstPage(frame, snapshot, clock)
    alarm, entry = AlarmPage(frame, snapshot, acts), EntryPage(frame, snapshot, acts)
    report = ReportPage(parts.store, parts.clock)
    course = TrendPage(frame, parts.store, parts.clock)

    def told(answer: Answer) -> Answer:
        """An error becomes a page that says what happened and what to do."""

        async def with_words(request: Request) -> Response:
            try:
                return await answer(request)
            except HostAgentError as error:
                return frame.said(request, "Not done", str(error), error.advice, status=409)

        return with_words

    async def not_here(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return frame.said(request, "Not here", "There is nothing at this address.", status=status)

    async def failed(request: Request, error: Exception) -> Response:
        what_now = "Look at the patient and at the wearable. On this laptop: cytowatch status"
        return frame.said(request, "Not shown", "This could not be shown.", what_now, status=500)

    async def sign_out(request: Request) -> Response:
        frame.sign_out(request)
        return RedirectResponse("/", 303)

    both = ["GET", "POST"]
    return Starlette(
        routes=[
            Route("/", told(first.show)),
            Route(ENDLESS, told(first.live)),
            Route("/live.json", told(first.live_json)),
            Route("/trend/{device_id}", told(course.show)),
            Route("/trend/{device_id}/{span}.json", told(course.data)),
            Route("/report/{device_id}.pdf", told(report.pdf)),
            Route("/alarm/{number:int}/{act}", told(alarm.answer), methods=both),
            Route("/enter/{device_id}", told(entry.answer), methods=both),
            Route("/sign-out", told(sign_out), methods=["POST"]),
            Mount("/static", StaticFiles(directory=FOLDER / "static")),
        ],
        exception_handlers={HTTPException: not_here, Exception: failed},
    )
