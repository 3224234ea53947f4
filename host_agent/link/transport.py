"""What a link offers to the sync client: bytes out with a progress deadline, bytes in, or TransportLost."""

from typing import Any, Protocol


class Transport(Protocol):
    """An open link. Both calls raise TransportLost once the link is gone; after that only `close` is useful."""

    @property
    def name(self) -> str:
        """What a person calls it: a port path or an address."""
        ...

    @property
    def fragment_bytes(self) -> int | None:
        """Largest piece that one `write` carries and one `read` gives, whole; None: a stream of bytes."""
        ...

    carrier: Any
    """What the sessions of this link share to cut and join pieces; None where they need nothing."""

    async def write(self, data: bytes) -> None:
        """Hand over all of `data`; waits while the other side is slow, TransportLost when it stops reading."""
        ...

    async def read(self) -> bytes:
        """The next bytes, at least one; waits for as long as it takes."""
        ...

    def close(self) -> None:
        """Give the link back at once; safe to call twice."""
        ...
