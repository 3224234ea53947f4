"""The page of a running agent: its socket, its server and its parts. Where it cannot listen, monitoring goes on."""

import logging
import secrets
import socket
import sys
from typing import Any

import uvicorn

from host_agent.clock import Clock, RealClock
from host_agent.config.page import PageSection
from host_agent.control.parts import Parts
from host_agent.control.socket import Handler
from host_agent.errors import HostAgentError
from host_agent.fault_log import FaultLog
from host_agent.paths import Paths
from host_agent.web.acts import Acts
from host_agent.web.connections import Connection
from host_agent.web.frame import Frame
from host_agent.web.key import page_key
from host_agent.web.pages import pages
from host_agent.web.safety import Safety, cookie_name
from host_agent.web.signing_in import SigningIn

HOST = "127.0.0.1"
_LOOK_S = 30.0
_LOG = logging.getLogger(__name__)


class Page:
    """`run` serves until it is cancelled."""

    def __init__(self, settings: PageSection, paths: Paths, clock: Clock | None = None) -> None:
        self._settings = settings
        self._paths = paths
        self._clock: Clock = clock or RealClock()
        self._faults = FaultLog(_LOG, self._clock)
        self._why_not = "the agent is starting"
        # any program of this laptop can ask for nonsense, and would fill the log
        logging.getLogger("uvicorn").setLevel(logging.ERROR)

    async def run(self, parts: Parts, handlers: dict[str, Handler]) -> None:
        """Listen, again and again while another program has the port; the control socket says whether it is so."""
        handlers["page"] = self._where
        while True:
            try:
                await self._serve(parts, handlers)
            except (OSError, HostAgentError) as error:
                why = error.strerror if isinstance(error, OSError) else str(error)
                self._why_not = why or type(error).__name__
                text = f"the page cannot be served on {HOST}:{self._settings.port} ({why}). Choose another page.port"
                self._faults.tell("page", text, level=logging.WARNING)
            await self._clock.sleep(_LOOK_S)

    async def _where(self, request: dict[str, Any]) -> dict[str, Any]:
        """`why_not` "": the page is served here. Else another program may answer on that port."""
        return {"port": self._settings.port, "why_not": self._why_not}

    async def _serve(self, parts: Parts, handlers: dict[str, Handler]) -> None:
        key = page_key(self._paths.home)
        listener = _listener(self._settings.port)
        try:
            self._faults.over("page", "the page is served again")
            await self._answer(listener, key, parts, handlers)
        finally:
            listener.close()

    async def _answer(
        self, listener: socket.socket, key: str, parts: Parts, handlers: dict[str, Handler]
    ) -> None:
        port = self._settings.port
        lasts_s = self._settings.sign_in_min * 60.0
        signing_in = SigningIn(self._paths.accounts, self._clock, lasts_s)
        frame = Frame(signing_in, secrets.token_hex(8), cookie_name(port))
        app = pages(frame, parts, Acts(parts, handlers), self._clock)
        config = uvicorn.Config(
            Safety(app, key, port), log_config=None, lifespan="off", access_log=False, server_header=False,
            http=Connection, ws="none", proxy_headers=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        server.force_exit = True  # a browser that looks on must not hold up the end of the agent
        await server.startup([listener])
        self._why_not = ""
        try:
            while True:
                await self._clock.sleep(3600.0)
        finally:
            self._why_not = "it ended and starts again"
            await server.shutdown([listener])


def _listener(port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET)
    try:
        if sys.platform != "win32":  # there it would let two programs share a port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port))
        found.listen(64)
    except BaseException:
        found.close()
        raise
    return found
