"""The world of people and their entries."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.people.people_world import PeopleWorld
from tests.host.people.wearable_rows import WearableRows


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PeopleWorld]:
    made = PeopleWorld(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def rows(world: PeopleWorld) -> WearableRows:
    return WearableRows(world)
