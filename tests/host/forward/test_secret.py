"""A receiver's secret is found where the configuration points, and refused without ever being shown."""

import sys
import threading

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, NoKeyringError

from host_agent.config.model import parse_config
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


class Keyring(KeyringBackend):
    """A keyring in memory; an answer that is an exception is raised, one that is an event is waited for."""

    priority = 1
    held = None

    def get_password(self, service, username):
        answer = self.held.get((service, username))
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, threading.Event):
            answer.wait()
            return None
        return answer

    def set_password(self, service, username, password):
        raise NotImplementedError


@pytest.fixture
def entries(monkeypatch):
    """What the keyring of this user holds."""
    before, made = keyring.get_keyring(), Keyring()
    made.held = {}
    keyring.set_keyring(made)
    yield made.held
    keyring.set_keyring(before)


def test_a_secret_from_the_keyring(entries):
    entries["cytowatch", "ward/7"] = SECRET + "\n"
    assert read("keyring:cytowatch/ward/7") == SECRET.encode()


@pytest.mark.parametrize("entry, answer, words", [
    ("cytowatch/ward", None, "the keyring holds no such entry (keyring:cytowatch/ward)"),
    ("cytowatch/ward", NoKeyringError("s3cret-s3cret-s3cret"), "the keyring cannot be used (NoKeyringError)"),
    ("cytowatch/ward", KeyringLocked("x"), "the keyring cannot be used (KeyringLocked)"),
    ("cytowatch/ward", OSError("no bus"), "the keyring cannot be used (OSError)"),
    ("cytowatch/ward", b"s3cret-s3cret-s3cret", "the keyring cannot be used (bytes)"),
    ("cytowatch/ward", "short", "fewer than 16 characters"), ("cytowatch/ward", "'s3cret-s3cret-s3cret'", "quotes"),
    ("ward", None, "names no entry"), ("/ward", None, "names no entry"), ("cytowatch/", None, "names no entry"),
])  # fmt: skip
def test_a_keyring_that_cannot_serve_is_said_without_the_secret(entries, entry, answer, words):
    entries["cytowatch", "ward"] = answer
    with pytest.raises(ConfigError) as caught:
        read(f"keyring:{entry}")
    assert words in str(caught.value) and caught.value.advice and "s3cret-s3cret" not in str(caught.value)


def test_a_keyring_that_asks_a_person_who_is_not_there_holds_the_start_up_for_seconds_only(
    entries, monkeypatch
):
    monkeypatch.setattr("host_agent.forward.secret._KEYRING_S", 0.05)
    entries["cytowatch", "ward"] = waits = threading.Event()
    with pytest.raises(ConfigError, match="no answer within 0.05 s; it may be locked"):
        read("keyring:cytowatch/ward")
    waits.set()


def test_without_the_library_the_command_to_install_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError) as caught:
        read("keyring:cytowatch/ward")
    assert "pip install 'cytowatch[keyring]'" in caught.value.advice


@pytest.mark.parametrize("mode", [0o400, 0o440])
def test_a_credential_of_systemd_is_read_whatever_its_access_list_looks_like(place, mode):
    place.chmod(mode)
    folder = str(place.parent)
    assert read("$CREDENTIALS_DIRECTORY/s", CREDENTIALS_DIRECTORY=folder) == SECRET.encode()


@pytest.mark.parametrize("name, environ, words", [
    ("s", {}, "hands this program no credentials"), ("s", {"CREDENTIALS_DIRECTORY": ""}, "no credentials"),
    ("../s", {"CREDENTIALS_DIRECTORY": "/run"}, "no name of a credential"),
    ("a/b", {"CREDENTIALS_DIRECTORY": "/run"}, "no name of a credential"),
    ("", {"CREDENTIALS_DIRECTORY": "/run"}, "no name of a credential"),
    ("none", {"CREDENTIALS_DIRECTORY": "/run/none"}, "cannot be read"),
])  # fmt: skip
def test_a_credential_that_is_not_there_is_said(name, environ, words):
    with pytest.raises(ConfigError, match=words):
        read(f"$CREDENTIALS_DIRECTORY/{name}", **environ)


def test_places_that_are_no_file_do_not_count_from_the_folder_of_the_configuration(tmp_path):
    text = "\n".join(
        f'[[webhook]]\nname = "w{number}"\nurl = "https://x.example.org/"\nsecret_file = "{file}"\n'
        for number, file in enumerate(("keyring:a/b", "$CREDENTIALS_DIRECTORY/c", "d"))
    )
    found = [one.secret_file for one in parse_config(text, "config.toml", tmp_path).receivers]
    assert found == ["keyring:a/b", "$CREDENTIALS_DIRECTORY/c", str(tmp_path / "d")]
