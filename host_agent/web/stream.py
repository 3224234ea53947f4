"""The page kept up to date: the pieces of it that changed, and a beat each second by which the browser knows that the
agent lives. Server-sent events; a browser without them asks for the same as JSON."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from host_agent.clock import Clock
from host_agent.text import marked
from host_agent.web.snapshot import Snapshot

BEAT_S = 1.0
PIECES = ("headline", "alarms", "wearables", "told")
Render = Callable[[str, dict[str, Any]], str]


async def pieces_now(snapshot: Snapshot, render: Render) -> dict[str, str]:
    """Name → HTML of each piece of the page, and `clock`."""
    state = await snapshot.state()
    pieces = {name: render(f"_{name}.html", state) for name in PIECES}
    return {**pieces, "clock": state["clock"], "title": _title(state)}


def _title(state: dict[str, Any]) -> str:
    """What a tab that is not in front says."""
    worst = next((one for one in state["alarms"]), None)
    if worst is None:
        return "CytoWatch"
    return f"{marked(worst['simulated'], worst['priority'])}: {worst['about']} – CytoWatch"


async def events(snapshot: Snapshot, render: Render, clock: Clock, boot: str) -> AsyncIterator[str]:
    """Until the browser goes. `boot` differs in each run of the agent: the page loads itself again after an update."""
    seen: dict[str, str] = {}
    yield f"retry: 1000\nevent: boot\ndata: {json.dumps(boot)}\n\n"
    while True:
        pieces = await pieces_now(snapshot, render)
        changed = {name: html for name, html in pieces.items() if seen.get(name) != html}
        seen.update(changed)
        yield f"event: beat\ndata: {json.dumps(changed)}\n\n"
        await clock.sleep(BEAT_S)
