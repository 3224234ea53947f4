"""What the sync engine reports to the rest of the agent while it works. Nothing here may block or raise."""

from collections.abc import Sequence
from typing import Any

from host_agent.errors import StoreError
from host_agent.store.insertion import IncomingBlock, IncomingGap, Inserted
from host_agent.store.rows import Journal


class SyncListener:
    """Called in the event loop; this one ignores everything. Messages are crs_core.wire.message tuples."""

    def on_open(self, device_id: bytes, journal: Journal | None, status: Any) -> None:
        """In session; `status` is the wearable's StatusIs, `journal` None when it runs without one."""

    def on_live(self, device_id: bytes, live: Any) -> None:
        """Values of now: shown, never stored as a record."""

    def on_doorbell(self, device_id: bytes, alarm: Any) -> None:
        """An alarm sounds on the wearable; `seq` 0 means that its flash did not take the record."""

    def on_not_understood(self, device_id: bytes, why: str, may_alarm: bool) -> None:
        """A message could not be read; `may_alarm`: it may have said that an alarm sounds."""

    def on_status(self, device_id: bytes, status: Any) -> None:
        """A later StatusIs."""

    def on_committed(self, journal: Journal, inserted: Inserted) -> None:
        """Records are committed and about to be acknowledged."""

    def on_unstored(
        self, journal: Journal, items: Sequence[IncomingBlock | IncomingGap], error: StoreError
    ) -> None:
        """The store took nothing and nothing was acknowledged: alarm from memory. Comes again at each retry."""

    def on_store_back(self, journal: Journal) -> None:
        """The store accepts writes again, and the records of `on_unstored` are committed."""

    def on_caught_up(self, journal: Journal) -> None:
        """The store holds everything that the wearable had at this moment."""
