"""A receiver's secret is found where the configuration points, and refused without ever being shown."""

import pytest

from host_agent.errors import ConfigError
from host_agent.forward.secret import read_secret

SECRET = "s3cret-s3cret-s3cret"


def read(file=None, variable=None, **environ) -> bytes:
    return read_secret("webhook ward", file and str(file), variable, environ)


@pytest.fixture
def place(tmp_path):
    """A file that holds the secret, private."""
    path = tmp_path / "s"
    path.write_text(SECRET + "\nsecond line\n")
    path.chmod(0o600)
    return path


def test_secret_from_the_environment_or_from_the_first_line_of_a_private_file(place):
    assert read(variable="W", W=SECRET) == read(place) == SECRET.encode()


def test_file_that_others_can_read_is_refused(place):
    place.chmod(0o644)
    with pytest.raises(
        ConfigError, match="webhook ward: the secret file .* can be read by other users"
    ) as caught:
        read(place)
    assert SECRET not in str(caught.value) and "chmod 600" in caught.value.advice


def test_missing_short_or_unreadable_secret_is_refused(place):
    for expected, given in [
        ("W is not set", {"variable": "W"}),
        ("fewer than 16 characters", {"variable": "W", "W": "tooshort"}),
        ("cannot be read", {"file": place.parent / "none"}),
    ]:
        with pytest.raises(ConfigError, match=expected) as caught:
            read(**given)
        assert "tooshort" not in str(caught.value)
    place.write_text("")
    with pytest.raises(ConfigError, match="fewer than 16"):
        read(place)
