"""An agent with its page, opened in the system's Chromium as a person opens it."""

import contextlib
import shutil
import socket
from collections.abc import AsyncIterator
from typing import Any

from playwright.async_api import Page as BrowserPage
from playwright.async_api import async_playwright

from host_agent.agent import Agent
from host_agent.config.model import parse_config
from host_agent.web.key import page_key
from host_agent.web.page import Page
from tools.rig.free_port import free_port

CHROMIUM = shutil.which("chromium")
MISSING = "no chromium here: apt-get install chromium"


@contextlib.asynccontextmanager
async def paged_agent(world: Any, port: int | None = None, **change: Any) -> AsyncIterator[tuple[Agent, str]]:
    """(a running agent of `world`, the address of its page with the key)."""
    port = port or free_port()
    settings = parse_config(f"[page]\nport = {port}\n").page
    page = Page(settings, world.paths)
    async with world.agent(page=page.run, **change) as agent:
        await world.until(lambda: _listens(port))
        yield agent, f"http://127.0.0.1:{port}/?key={page_key(world.paths.home)}"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.asynccontextmanager
async def browser(**context: Any) -> AsyncIterator[BrowserPage]:
    """One tab. Whatever a script of the page complains about fails the test."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            tab = await (await chromium.new_context(**context)).new_page()
            complaints: list[str] = []
            tab.on("pageerror", lambda error: complaints.append(str(error)))
            tab.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            yield tab
            # a form that is refused, and an agent that went away, are told by the page itself
            assert [one for one in complaints if not one.startswith("Failed to load resource")] == []
        finally:
            await chromium.close()
