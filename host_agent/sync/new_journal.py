"""Requests after which the wearable has another journal: the start and the end of a patient's binding."""

import asyncio

from crs_core.wire import message as wire
from crs_core.wire.parts import split_parts

from host_agent.sync.client import DeviceClient

_ANSWER_DEADLINE_S = 20.0  # real: the wearable deletes a journal first
_BYE_DEADLINE_S = 5.0  # real


async def bind(client: DeviceClient, op: int, binding_id: bytes, profile: str = "") -> None:
    """BIND start, end or end-override; RequestRefused when nothing was changed.

    On return the session is over: the wearable says BYE after its Result, and what is asked in between is lost. When
    its BYE is lost, this end closes, so that a new session begins on the new journal.
    """
    pieces = split_parts(profile.encode(), client.peer_largest - 12)
    for part, piece in enumerate(pieces):
        await client.command(wire.Bind(op, binding_id, part, len(pieces), piece), _ANSWER_DEADLINE_S)
    try:
        async with asyncio.timeout(_BYE_DEADLINE_S):
            await client.over.wait()
    except TimeoutError:
        await client.close(wire.BYE_JOURNAL_CHANGED)
