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


@pytest.mark.parametrize(
    "form",
    [
        '"{}"', "'{}'", "`{}`", "\u201c{}\u201d", "\u2018{}\u2019", "\u00ab{}\u00bb", '"{}', '{}"', "SECRET={}",
        'SECRET="{}"', "export SECRET={}", "export secret={}", "set SECRET={}", "SECRET ={}", "CW_WEBHOOK_2={}",
        "secret = {}", "secret: {}", "secret:{}", "apiKey={}", 'secret = "{}"', "password: {}", "hmac: {}",
        '{{"secret": "{}"}}', "{{\n{}", "[webhook]", "[[{}]]", "<{}>", "-----BEGIN SECRET-----\n{}", "# {}",
        "; {}", "// {}", "#!/bin/{}", "{}\\n", "{}\\r",
    ],
)  # fmt: skip
@pytest.mark.parametrize("around", ["{}", "  {}\t\r\n", "\ufeff{}\n\x1a"])
def test_what_stands_round_a_secret_for_another_program_is_refused(place, form, around):
    written = around.format(form.format(SECRET))
    place.write_bytes(written.encode())
    with pytest.raises(ConfigError, match="the secret in") as caught:
        read(place)
    assert "Write the secret alone" in caught.value.advice or "new one" in caught.value.advice
    assert SECRET not in str(caught.value) + caught.value.advice
    if "\n" not in written.strip() and "\x1a" not in written:
        with pytest.raises(ConfigError, match="the secret in environment variable W"):
            read(variable="W", W=written)


@pytest.mark.parametrize(
    "secret",
    ["c2VjcmV0LXNlY3JldC1zZWNyZXQ=", "MZXW6YTBOI======", "a=b-c=d-e=f-g=h-i=j", "#8f!k{x}[y]<z>'q",
     "two words of sixteen", "9f86d081884c7d659a2feaa0c55ad015", "urn:uuid:6e8bc430",
     "A1b2=C3d4=E5f6=G7h8", "it's-a-secret-of-ours"],
)  # fmt: skip
def test_a_secret_that_only_looks_a_little_like_that_is_taken_as_it_is(place, secret):
    for around in ("{}", "  {} \n", "{}\r\n\x1a", "\ufeff{}\x1a\x1a\r\n"):
        place.write_bytes(around.format(secret).encode())
        assert read(place) == secret.encode()


@pytest.mark.parametrize(
    "password", ["pass'", '"half', "# 1 in town", "<3 cats", "{x}", "my token: 7", "a\\n"]
)
def test_a_password_that_a_person_chose_may_look_like_that(password):
    assert read_secret("mail ward", None, "W", {"W": password}, 1) == password.encode()
    for form in ('"{}"', "PASSWORD={}", "export PASSWORD={}"):
        with pytest.raises(ConfigError, match="Write the secret alone|has "):
            read_secret("mail ward", None, "W", {"W": form.format("hunter22")}, 1)


def test_a_secret_on_another_line_or_on_two_lines_is_refused(place):
    for text, why in (
        ("\n" + SECRET, "first line of file .* is empty"),
        ("a" * 76 + "\nb2==\n", "several lines"),
    ):
        place.write_text(text)
        with pytest.raises(ConfigError, match=why):
            read(place)


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
