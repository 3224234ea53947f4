"""Flash that refuses to append, for the tests of the journal and of the event log before it."""

import pytest


class RefusingFlash:
    """Each opening to append raises `error`, when there is one; the first `passes` of them pass."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.passes = 0

    def open(self, path: str, mode: str):  # type: ignore[no-untyped-def]
        """As the builtin, while flash takes appends."""
        if self.error is not None and "a" in mode:
            if not self.passes:
                raise self.error
            self.passes -= 1
        return open(path, mode)  # noqa: PTH123 as the journal does


@pytest.fixture
def flash(monkeypatch: pytest.MonkeyPatch) -> RefusingFlash:
    """The flash under every chain of segments."""
    refusing = RefusingFlash()
    monkeypatch.setattr("crs_device.journal.chain.open", refusing.open, raising=False)
    return refusing
