"""Safeguards taken away, one at a time, inside the agent (`run_cytowatch --with`): the search must find each.

Each is a race. In most orders of events nothing happens; a seed has the order in which it does.
"""

import os
from typing import Any

from crs_core.wire import message as wire

from host_agent.errors import PortBusy
from host_agent.link import serial
from host_agent.link.ownership import Claim, Owner
from host_agent.link.supervisor import LinkReport, LinkState
from host_agent.store.insertion import IncomingBlock
from host_agent.sync import links
from host_agent.sync.intake import unpack
from host_agent.sync.reception import Reception


def ack_first() -> None:
    """What arrived is acknowledged before it is committed."""
    real = Reception._commit

    async def commit(self: Reception, messages: list[Any]) -> None:
        assert self.journal is not None
        coverage = self.coverage.copy()
        for message in messages:
            for item in unpack(message, self.journal.journal_id, {}):
                if isinstance(item, IncomingBlock):
                    first = item.header.first_seq
                    coverage.add(first, first + item.header.count - 1)
        await self._client.send(wire.Ack(coverage.prefix, self._received + len(messages)))
        await real(self, messages)

    Reception._commit = commit  # type: ignore[method-assign]


def both_own() -> None:
    """A port is claimed when its session is open, not before it is opened: two links may open it meanwhile."""
    owners: dict[str, str] = {}
    real_report = links.Links._on_report

    def claim(port: str, home: str, utc_ms: int) -> Claim:
        if owners.get(os.path.realpath(port), port) != port:
            raise PortBusy(f"Another link uses {port}")
        return Claim(None, Owner(port, 0, home, utc_ms, None))

    def on_report(self: links.Links, report: LinkReport) -> None:
        path = os.path.realpath(report.port)
        if report.state == LinkState.OPEN:
            owners.setdefault(path, report.port)
        elif owners.get(path) == report.port:
            del owners[path]
        real_report(self, report)

    class Shared(serial.serial.Serial):  # type: ignore[misc]
        """A port that does not keep others out."""

        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **{**named, "exclusive": False})

    links.claim = claim  # type: ignore[attr-defined]
    links.Links._on_report = on_report  # type: ignore[method-assign]
    serial.serial.Serial = Shared


SABOTAGES = {"ack_first": ack_first, "both_own": both_own}
