"""A ward whose agent serves its page."""

from tests.host.cli.conftest import people, ward  # noqa: F401 fixtures
