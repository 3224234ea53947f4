"""An air that processes join: chips over one unix socket, hosts over HCI on another.

async with Air.open(folder) as air:      # folder/chip: for `tools.virtual_wearable --air`; air.hci: for a host
    ...
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from bumble.transport.common import StreamPacketSink, StreamPacketSource

from tools.ble_air.channel import Channel
from tools.ble_air.chip_radio import ChipRadio
from tools.ble_air.controller import AirController
from tools.ble_air.link import AirLink


class Air:
    """`link` for radios in this process; `hci` is the bumble transport name that gives another process a radio."""

    def __init__(self, chip_path: Path, channel: Channel | None) -> None:
        self.link = AirLink(channel)
        self.chip_path = chip_path
        self.radios: list[ChipRadio] = []
        self.hosts: list[AirController] = []
        self.hci = ""

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, folder: Path, channel: Channel | None = None) -> AsyncIterator["Air"]:
        """Serve until the block ends."""
        air = cls(folder / "chip", channel)
        loop = asyncio.get_running_loop()
        chips = await asyncio.start_unix_server(air._serve_chip, str(air.chip_path))
        hosts = await loop.create_unix_server(lambda: _HostRadio(air), str(folder / "host"))
        air.hci = f"unix-client:{folder / 'host'}"
        try:
            yield air
        finally:
            chips.close()
            hosts.close()
            for radio in list(air.radios):
                radio.hang_up()

    async def _serve_chip(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        radio = ChipRadio(self.link, reader, writer)
        self.radios.append(radio)
        try:
            await radio.serve()
        finally:
            self.radios.remove(radio)


class _HostRadio(StreamPacketSource):
    """One connection is one radio, from its first byte to its last."""

    def __init__(self, air: Air) -> None:
        super().__init__()
        self._air = air
        self._controller: AirController | None = None

    def connection_made(self, transport: Any) -> None:
        """A host joined: give it a radio."""
        self._controller = AirController("host", self._air.link, self, StreamPacketSink(transport))
        self._air.hosts.append(self._controller)

    def connection_lost(self, exc: Exception | None) -> None:
        """The host left: its radio ends."""
        if self._controller is not None:
            self._air.hosts.remove(self._controller)
            self._controller.close()
