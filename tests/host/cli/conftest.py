"""Folders that tests of the command share."""

import json

import pytest

from tests.host.cli.people_cli import PEOPLE, run


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
