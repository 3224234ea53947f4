"""What a link offers to the sync client: write bytes, read bytes, or TransportLost."""

from typing import Any, Protocol


class Transport(Protocol):
    """An open link. Both calls raise TransportLost once the link is gone; after that only `close` is useful."""

    @property
    def name(self) -> str:
        """What a person calls it: a port path or an address."""
        ...

    @property
    def fragment_bytes(self) -> int | None:
        """Largest piece in bytes that one `write` and one `read` carry undivided; None: a stream of bytes."""
        ...

    carrier: Any
    """Cuts and joins the pieces of all sessions of this link; None on a stream of bytes."""

    async def write(self, data: bytes) -> None:
        """Write all of `data`. Waits while the other side is slow; TransportLost when it stops reading."""
        ...

    async def read(self) -> bytes:
        """Wait for the next bytes, at least one, without a deadline."""
        ...

    def close(self) -> None:
        """Close the link at once; safe to call twice."""
        ...
