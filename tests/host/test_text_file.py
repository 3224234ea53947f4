"""Text files from people: what editors add changes nothing, and what is no text is refused with a sentence."""

import os
from pathlib import Path

import pytest

from host_agent.config.model import load_config
from host_agent.errors import ConfigError
from host_agent.forward.secret import read_secret
from host_agent.paths import Paths
from host_agent.people import account_key
from host_agent.terminal.signing import find_signer, read_passphrase
from host_agent.text_file import TextFileError, decode_text, first_line, read_text_file

TEXT = '[agent]\nlog_level = "error"\n# Fieber über 38\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_marks_encodings_and_line_ends_of_editors_change_nothing(tmp_path, encoding, line_end):
    path = tmp_path / "c.toml"
    path.write_bytes(TEXT.replace("\n", line_end).encode(encoding))
    assert read_text_file(path) == TEXT
    assert load_config(path).agent.log_level == "error"


@pytest.mark.parametrize("end", ["\x1a", "\x1a\n", "\n\x1a", "\r\n\x1a\r\n", "\x1a" * 100])
def test_a_ctrl_z_at_the_end_changes_nothing_and_one_elsewhere_is_no_text_of_a_configuration(tmp_path, end):
    path = tmp_path / "c.toml"
    path.write_bytes((TEXT.rstrip() + end).encode())
    assert load_config(path).agent.log_level == "error"
    assert first_line(decode_text(("a long passphrase" + end).encode(), "x")) == "a long passphrase"
    path.write_bytes(b"[agent]\x1a\n" + TEXT.encode())
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_config(path)


@pytest.mark.parametrize(
    "data, why",
    [("Grüße".encode("latin-1"), "is not UTF-8 text (byte 2)"), (b"a\nb\0c", "NUL character in line 2"),
     ("secret".encode("utf-16-le"), "NUL character in line 1"), (b"\xff\xfea", "begins as UTF-16-LE text"),
     (b"\xef\xbb\xbf\xff", "is not UTF-8 text (byte 3)"), (b"+/v8-secret", "begins as UTF-7 text"),
     ("secret".encode("utf-32-be"), "NUL character in line 1"), (b"\xfe\xffs", "begins as UTF-16-BE text")],
)  # fmt: skip
def test_what_is_no_text_is_refused_without_its_content(data, why):
    with pytest.raises(TextFileError) as caught:
        decode_text(data, "file x")
    assert why in str(caught.value) and "save it as UTF-8" in caught.value.advice
    assert "secret" not in str(caught.value)


def test_a_folder_an_empty_pipe_and_a_large_file_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"x" * 101)
    for path, why in (
        (tmp_path, "is a folder, not a file"),
        (tmp_path / "pipe", "is a pipe, not a file"),
        (tmp_path / "large", "larger"),
        (tmp_path / "a\0b", "NUL"),
        (Path("/dev/zero"), "is a device, not a file"),
    ):
        with pytest.raises(TextFileError, match=why):
            read_text_file(path, largest_bytes=100)


def test_of_what_is_typed_an_empty_pipe_is_refused_and_nothing_is_read_without_end(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, why in ((tmp_path / "pipe", "it gave nothing"), (Path("/dev/zero"), "larger")):
        with pytest.raises(TextFileError, match=why):
            read_text_file(path, typed=True, largest_bytes=100)


def test_a_pipe_of_the_shell_is_read_to_its_end():
    reading, writing = os.pipe()
    os.write(writing, b"0123456789abcdef\n")
    os.close(writing)
    assert read_passphrase(Path(f"/dev/fd/{reading}"), "UNSET", "Passphrase") == "0123456789abcdef"
    os.close(reading)


@pytest.mark.parametrize(
    "data",
    [b"\xef\xbb\xbf0123456789abcdef\r\n", "0123456789abcdef \n".encode("utf-16"), b"0123456789abcdef\t"],
)
def test_a_secret_and_a_passphrase_are_the_same_whatever_editor_wrote_them(tmp_path, data):
    path = tmp_path / "s"
    path.write_bytes(data)
    path.chmod(0o600)
    assert read_secret("webhook a", str(path), None, {}) == b"0123456789abcdef"
    assert read_passphrase(path, "UNSET", "Passphrase") == "0123456789abcdef"


def test_a_secret_of_a_variable_loses_its_mark_and_line_end():
    assert (
        read_secret("webhook a", None, "S", {"S": "\ufeff0123456789abcdef\u00a0\r\n"}) == b"0123456789abcdef"
    )
    assert read_secret("webhook a", None, "S", {"S": "pass word, äß, 0123"}) == "pass word, äß, 0123".encode()


def test_an_invisible_character_in_a_secret_is_named_by_its_place():
    for number in (
        0x00A0,
        0x2003,
        0x2060,
        0x3000,
        0x3164,
        0x115F,
        0x2800,
        0x034F,
        0xFE0F,
        0xE0001,
        0x00AD,
        0x2028,
    ):
        text = f"012{chr(number)}456789abcdefgh"
        with pytest.raises(ConfigError, match=rf"invisible character \(U\+{number:04X}\) at place 4"):
            read_secret("webhook a", None, "S", {"S": text})
    with pytest.raises(ConfigError, match=r"invisible character \(U\+200B\) at place 4"):
        read_secret("webhook a", None, "S", {"S": "012\u200b3456789abcdef"})


def test_a_relative_secret_file_counts_from_the_folder_of_the_configuration(tmp_path, monkeypatch):
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "s").write_text("0123456789abcdef")
    (folder / "s").chmod(0o600)
    (folder / "c.toml").write_text('[[webhook]]\nname = "a"\nurl = "https://a.example/"\nsecret_file = "s"\n')
    monkeypatch.chdir(tmp_path)
    (receiver,) = load_config(folder / "c.toml").receivers
    assert receiver.read_secret("secret") == b"0123456789abcdef"
    monkeypatch.chdir(folder)
    (receiver,) = load_config(tmp_path.joinpath("etc/c.toml").relative_to(tmp_path / "etc")).receivers
    monkeypatch.chdir("/")
    assert not list(receiver.problems())


def test_the_first_line_has_no_blanks_around_it():
    assert first_line(" a b \nc") == "a b"


@pytest.mark.parametrize(
    "sealed_with", ["a long passphrase", "\ufeffa long passphrase", "a long passphrase  "]
)
def test_an_account_that_was_sealed_with_the_mark_or_blanks_of_its_file_still_signs(tmp_path, sealed_with):
    paths = Paths(tmp_path / "home").ensure()
    account_key.save(paths.accounts, account_key.new_signer("nurse-1"), sealed_with)
    file = tmp_path / "p"
    file.write_bytes(sealed_with.encode() + b"\r\n")
    assert find_signer(paths, "nurse-1", file).name == "nurse-1"
    file.write_text("another passphrase")
    with pytest.raises(account_key.AccountKeyError, match="passphrase is wrong"):
        find_signer(paths, "nurse-1", file)
