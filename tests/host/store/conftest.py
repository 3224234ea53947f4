"""An empty store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from host_agent.store.db import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """It is the file `a.db` of the test's folder."""
    with Store(tmp_path / "a.db") as opened:
        yield opened
