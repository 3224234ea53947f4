"""A webhook's secret is found where the configuration points, and refused without ever being shown."""

import pytest

from host_agent.config.model import WebhookSection
from host_agent.errors import ConfigError
from host_agent.forward.secret import read_secret

SECRET = "s3cret-s3cret-s3cret"


def section(**place) -> WebhookSection:
    return WebhookSection(name="ward", url="https://a.example", **place)


def test_secret_from_the_environment():
    assert read_secret(section(secret_env="W"), {"W": SECRET}) == SECRET.encode()


def test_secret_from_the_first_line_of_a_private_file(tmp_path):
    path = tmp_path / "s"
    path.write_text(SECRET + "\nsecond line\n")
    path.chmod(0o600)
    assert read_secret(section(secret_file=str(path))) == SECRET.encode()


def test_file_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "s"
    path.write_text(SECRET)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="other users can read") as caught:
        read_secret(section(secret_file=str(path)))
    assert SECRET not in str(caught.value) and "chmod 600" in caught.value.advice


def test_missing_short_or_unreadable_secret_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="W is not set"):
        read_secret(section(secret_env="W"), {})
    with pytest.raises(ConfigError, match="fewer than 16 characters") as caught:
        read_secret(section(secret_env="W"), {"W": "tooshort"})
    assert "tooshort" not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_secret(section(secret_file=str(tmp_path / "none")))
    empty = tmp_path / "e"
    empty.touch(0o600)
    with pytest.raises(ConfigError, match="fewer than 16"):
        read_secret(section(secret_file=str(empty)))
