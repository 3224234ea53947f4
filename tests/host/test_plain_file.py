"""What somebody puts in the place of the agent's files: nothing waits for it, and it is named."""

import asyncio
import os
import socket
import subprocess
from pathlib import Path

import pytest

from host_agent.paths import Paths
from host_agent.plain_file import OtherKindError, kind_of, open_plain, other_kind, read_plain
from host_agent.state_lock import read_note
from host_agent.store.db import Store
from host_agent.terminal import exits
from host_agent.text_file import TextFileError, read_text_file
from tests.host.cli.people_cli import COMMAND, run, run_process

QUIET = "[serial]\nscan_usb = false\n[ble]\nenabled = false\n"
KEY = "keys/c0ffee0011223344.key"
FILES = [
    "cytowatch.db", "cytowatch.db-wal", "cytowatch.db-journal", "config.toml", KEY, "accounts/dr-a.json", "agent.json",
    "command.json", "audit.head", "usb_serials.json", "cytowatch.log",
]  # fmt: skip
FOLDERS = ["keys", "accounts"]
COMMANDS = [
    ["status"], ["devices"], ["account", "list"], ["context", "show"], ["audit", "verify"], ["history"], ["config"],
    ["report", "hours"], ["export"], ["verify"], ["deliveries"], ["pause", "--for", "5m"], ["phones"],
    ["hosts", "list"], ["account", "passphrase", "dr-a"], ["backup", "x.db"], ["patient", "end"],
]  # fmt: skip


def a_pipe(path):
    os.mkfifo(path)


def a_folder(path):
    path.mkdir()


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


def a_device(path):
    path.symlink_to("/dev/zero")


def a_dead_link(path):
    path.symlink_to(path.with_name("unmounted"))


def a_file(path):
    path.write_text("{}")


KINDS = {
    a_pipe: "is a pipe", a_folder: "is a folder", a_socket: "is a socket", a_device: "is a device",
    a_dead_link: "is a link to something that does not exist",
}  # fmt: skip


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = Paths(tmp_path / "home").ensure()
    (made.home / "config.toml").write_text(QUIET)
    (made.home / "accounts").mkdir(mode=0o700)
    Store(made.database).close()
    return made.home


def replace(path, make):
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    make(path)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("name", FILES)
def test_no_command_waits_for_what_is_no_file_and_doctor_names_it(home, name, make):
    replace(home / name, make)
    for arguments in COMMANDS:
        done = run(home, *arguments)
        told = done.stdout + done.stderr
        assert "Traceback" not in told and "bug" not in told, (arguments, told)
        if name == "cytowatch.db" and arguments[0] in ("history", "export", "verify", "backup"):
            assert done.returncode == exits.FAILED and f"{home / name} {KINDS[make]}" in told, (
                arguments,
                told,
            )
        if name == "config.toml" and arguments[0] == "config":
            assert done.returncode == exits.USAGE and f"{home / name}: {KINDS[make]}" in told, (
                arguments,
                told,
            )
    done = run(home, "doctor")
    assert done.returncode == exits.FAILED and f"{home / name} {KINDS[make]}" in done.stdout, done.stdout
    assert "chown" not in done.stdout


@pytest.mark.timeout(60)
@pytest.mark.parametrize("make", [a_pipe, a_file, a_device, a_dead_link], ids=lambda make: make.__name__)
@pytest.mark.parametrize("name", FOLDERS)
def test_what_stands_in_the_place_of_a_folder_is_named(home, name, make):
    replace(home / name, make)
    said = KINDS.get(make, "is a file")
    for arguments in (["doctor"], ["account", "add", "dr-a", "--role", "clinician"], ["run"]):
        if arguments != ["run"] or name == "keys":
            done = run_process(home, *arguments, CYTOWATCH_NEW_PASSPHRASE="passphrase-1")
            assert done.returncode == exits.FAILED, (arguments, done)
            assert f"{home / name} {said}" in done.stdout + done.stderr, (arguments, done)


@pytest.mark.parametrize("make", [*KINDS, a_file], ids=lambda make: make.__name__)
def test_the_state_folder_itself(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)
    if make is a_folder:
        return
    make(tmp_path / "home")
    for arguments in (["status"], ["doctor"], ["account", "list"]):
        done = run(tmp_path / "home", *arguments)
        said = (
            "is a link to a folder that does not exist"
            if make is a_dead_link
            else KINDS.get(make, "is a file")
        )
        assert done.returncode == exits.FAILED and said in done.stdout + done.stderr, (arguments, done)


async def until(check):
    async with asyncio.timeout(60):
        while not check():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("make", [a_pipe, a_folder, a_dead_link], ids=lambda make: make.__name__)
async def test_the_agent_monitors_whatever_stands_in_the_place_of_its_notes_log_socket_and_store(home, make):
    for name in (
        "agent.json",
        "command.json",
        "usb_serials.json",
        "cytowatch.log",
        "agent.sock",
        "cytowatch.db-wal",
    ):
        replace(home / name, make)
    running = await asyncio.create_subprocess_exec(
        COMMAND, "run", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "CYTOWATCH_HOME": str(home)},
    )  # fmt: skip
    try:
        said = ""
        async with asyncio.timeout(60):
            while "Agent running" not in said or "no command can reach" not in said:
                said += (await running.stderr.readline()).decode()
        assert f"nothing is written to the log {home / 'cytowatch.log'}" in said
        assert f"{home / 'agent.sock'} {KINDS[make]}" in said
        done = await asyncio.to_thread(run_process, home, "hosts", "list")
        assert done.returncode == exits.FAILED and "not running" not in done.stderr, done.stderr
    finally:
        running.terminate()
        await running.communicate()
    assert make is a_folder or read_note(home / "agent.json")["why"]


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_a_file_that_was_named_earlier_may_be_no_pipe_and_one_that_is_typed_may(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "secret"
    make(path)
    with pytest.raises(TextFileError, match=KINDS[make]):
        read_text_file(path)
    with pytest.raises(OtherKindError):
        read_plain(path)
    assert other_kind(path) and kind_of(path) not in ("", "a file")


def test_what_is_put_there_between_the_look_and_the_opening_is_refused_too(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr("host_agent.plain_file.other_kind", lambda path: "")
    with pytest.raises(OtherKindError):
        open_plain(tmp_path / "pipe")


def test_a_restore_takes_no_pipe_for_a_missing_backup_and_moves_one_away(home):
    os.mkfifo(home / "backup.db")
    done = run(home, "restore", str(home / "backup.db"))
    assert done.returncode == exits.FAILED and "backup.db is a pipe." in done.stderr
    assert run(home, "backup", "sound.db").returncode == exits.DONE
    replace(home / "cytowatch.db", a_pipe)
    done = run(home, "restore", str(Path("sound.db").absolute()), "--reason", "x", "--account", "dr-a")
    assert "Restored" in done.stdout or "cannot be read" in done.stderr, done
