"""The cable: a symbolic link that leads to the port while it is plugged in."""

from pathlib import Path


class CableError(Exception):
    """The link cannot be made; the text says why."""


class Cable:
    """`path` None: nobody asked for a link. `back_s`: when a pulled cable is put back, None: it is plugged in."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.back_s: float | None = None

    def lead_to(self, port: str) -> None:
        """Plug it in; a link that an earlier wearable left goes."""
        self.back_s = None
        if self._path is None:
            return
        if self._path.is_symlink():
            self._path.unlink()
        elif self._path.exists():
            raise CableError(f"{self._path}: exists and is not a link")
        self._path.symlink_to(port)

    def pull(self, back_s: float) -> None:
        """It leads nowhere until then."""
        self.remove()
        self.back_s = back_s

    def is_back(self, now_s: float) -> bool:
        """Whether a pulled cable is to be put back now."""
        return self.back_s is not None and now_s >= self.back_s

    def remove(self) -> None:
        """Take the link away."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
