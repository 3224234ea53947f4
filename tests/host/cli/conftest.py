"""Folders that tests of the command share."""

import json
import shutil
import time

import pytest

from tests.host.cli.people_cli import PEOPLE, run
from tests.host.people.people_world import PeopleWorld
from tests.host.people.wearable_rows import WearableRows


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """A state folder in which everybody has an account, made once: each key costs a second of stretching."""
    home = tmp_path_factory.mktemp("people") / "home"
    code = ""
    for name, role in PEOPLE.items():
        who = ["--administrator"] if name == "clinician-2" else []
        done = run(
            home, "account", "add", name, "--role", role, *who, "--json",
            by="clinician-1", CYTOWATCH_ADMINISTRATOR_CODE=code,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        code = json.loads(done.stdout).get("administrator_code", code)
    return home


@pytest.fixture
def ward(world, people):
    """The laptop with everybody's account, and a configuration that commands find."""
    shutil.copytree(people, world.home, dirs_exist_ok=True)
    (world.home / "config.toml").write_text(world.config_text)
    return world


@pytest.fixture
def one_patient(tmp_path):
    """P-1 alone, bound now; `home` is the state folder, `rows` writes what the wearable says."""
    home = tmp_path / "home"
    home.mkdir()
    made = PeopleWorld(home)
    made.now_ms = time.time_ns() // 1_000_000
    made.home = home
    made.rows = WearableRows(made)
    made.rows.write("UPDATE bindings SET state = 'ended' WHERE device = 2")
    yield made
    made.store.close()
