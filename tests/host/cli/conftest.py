"""Folders that tests of the command share."""

import pytest

from tests.host.cli.people_cli import PEOPLE, run


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """A state folder in which everybody has an account, made once: each key costs a second of stretching."""
    home = tmp_path_factory.mktemp("people") / "home"
    for name, role in PEOPLE.items():
        done = run(home, "account", "add", name, "--role", role, by="clinician-1")
        assert done.returncode == 0, done.stderr
    return home
