"""A session whose journal has no row in the store: what the store cannot take is alarmed from memory until it can."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from host_agent.clock import Clock, sleep_or_event
from host_agent.errors import StoreError
from host_agent.store.db import Store, Tx
from host_agent.store.insertion import IncomingBlock, IncomingGap
from host_agent.sync.begin import Begun, begin_in_memory, begin_unstored


async def begun_in_memory(store: Store, peer: Any, status: Any) -> Begun:
    """Where to read on while the store takes nothing; its journal has the id 0 when there is no row of it."""

    def find(tx: Tx) -> Begun:
        known = begin_unstored(tx, peer=peer, status=status)
        return known or begin_in_memory(tx, peer=peer, status=status)

    try:
        return await store.read(find)
    except StoreError:
        return begin_in_memory(None, peer=peer, status=status)


async def until_begun(
    begin: Callable[[StoreError | None], Awaitable[Any]],
    failure: StoreError | None,
    *,
    alarm: Callable[[Sequence[IncomingBlock | IncomingGap], StoreError], None],
    waiting: Callable[[], Sequence[IncomingBlock | IncomingGap]],
    link: Clock,
    arrived: asyncio.Event,
    pauses_s: tuple[float, float],
) -> None:
    """Try `begin` until the store takes it; meanwhile `alarm` gets what is `waiting`, at once when more `arrived`."""
    pause_s, longest_s = pauses_s
    while True:
        await sleep_or_event(link, pause_s, arrived)
        arrived.clear()
        try:
            await begin(failure)
        except StoreError as error:
            failure = error
            alarm(waiting(), error)
            pause_s = min(pause_s * 2, longest_s)
        else:
            return
