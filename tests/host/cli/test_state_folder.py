"""Every command in a state folder that cannot be used: words, an exit code, and no "0 problems"."""

import os
import subprocess

import pytest

from host_agent.terminal import exits
from tests.host.cli.people_cli import COMMAND, run
from tests.host.escalation.world import World, alarm_record

NOBODY = 65534
COMMANDS = [
    ["run"], ["status"], ["devices"], ["enrol", "x"], ["account", "list"], ["account", "add", "a", "--role", "nurse"],
    ["context", "show"], ["audit", "verify"], ["history"], ["report", "hours"], ["export"], ["config"], ["backup", "x"],
    ["restore", "x"], ["verify"], ["pause", "--for", "5m"], ["patient", "end"], ["hosts", "list"], ["pair"],
]  # fmt: skip


def a_file(home):
    home.write_text("")


def a_link_to_nothing(home):
    home.symlink_to(home / "unmounted")


def open_to_others(home):
    home.mkdir()
    home.chmod(0o777)


def of_another_user(home):
    home.mkdir()
    try:
        os.chown(home, NOBODY, NOBODY)
    except PermissionError:
        pytest.skip("only root can give a folder away")


@pytest.mark.parametrize("spoil", [a_file, a_link_to_nothing, open_to_others, of_another_user])
def test_every_command_says_what_is_wrong_with_the_folder(tmp_path, monkeypatch, spoil):
    monkeypatch.setattr("signal.signal", lambda *_: None)  # commands run in this process here
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    spoil(home)
    for arguments in COMMANDS:
        done = run(home, *arguments)
        assert done.returncode in (exits.FAILED, exits.USAGE), (arguments, done)
        if arguments[0] != "enrol":  # it reads its file first
            assert str(home) in done.stderr and "bug" not in done.stderr, (arguments, done.stderr)


@pytest.mark.parametrize("spoil", [a_file, a_link_to_nothing, open_to_others, of_another_user])
def test_doctor_never_finds_no_problem_in_a_folder_that_cannot_be_used(tmp_path, spoil):
    spoil(tmp_path / "home")
    done = run(tmp_path / "home", "doctor")
    assert done.returncode == exits.FAILED and "problem  state folder: " in done.stdout
    assert "1 problem found" in done.stdout


@pytest.mark.parametrize("what", ["keys", "cytowatch.db", "keys/a.key"])
def test_doctor_names_a_file_that_another_user_made_in_it(tmp_path, what):
    home = tmp_path / "home"
    (home / "keys").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    if what != "keys":
        (home / what).write_text("")
    try:
        os.chown(home / what, NOBODY, NOBODY)
    except PermissionError:
        pytest.skip("only root can give a file away")
    done = run(home, "doctor")
    assert done.returncode == exits.FAILED and f"{home / what} cannot be read and written" in done.stdout


def test_doctor_finds_a_folder_that_takes_no_file(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)

    def fsync(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fsync)
    done = run(home, "doctor")
    assert done.returncode == exits.FAILED and "takes no file (No space left on device)" in done.stdout
    assert not list(home.iterdir())


@pytest.mark.parametrize("environment", [{}, {"HOME": ""}, {"HOME": "/nonexistent"}], ids=str)
def test_a_service_without_a_home_gets_an_answer(tmp_path, environment):
    """As under cron and systemd: no HOME, no terminal, no locale."""
    done = subprocess.run(
        [COMMAND, "config"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
        env={"PATH": os.environ["PATH"], **environment},
    )  # fmt: skip
    assert done.returncode in (exits.DONE, exits.FAILED) and "bug" not in done.stderr


def test_doctor_finds_a_folder_that_can_never_be_made(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, needed: path != tmp_path)
    done = run(tmp_path / "home", "doctor")
    assert done.returncode == exits.FAILED and "cannot be created in" in done.stdout


def test_an_export_that_fails_leaves_the_file_that_was_there(tmp_path, monkeypatch):
    world = World(tmp_path)
    world.commit(alarm_record({}, FEVER=2), simulated=True)
    world.store.close()
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (tmp_path / "c.db").rename(home / "cytowatch.db")
    out = tmp_path / "ward.csv"
    out.write_text("yesterday")

    def fail(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("host_agent.cli.export._write", fail)
        done = run(home, "export", "--kind", "alarms", "--out", str(out))
    assert done.returncode == exits.FAILED and "cannot be written (No space left on device)" in done.stderr
    assert out.read_text() == "yesterday" and not list(tmp_path.glob(".*part"))
    assert run(home, "export", "--kind", "alarms", "--out", str(out)).returncode == exits.DONE
    assert "FEVER" in out.read_text()


def test_a_working_folder_that_was_deleted_is_said(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    typed = f"cd {gone} && rmdir {gone} && CYTOWATCH_HOME=home {COMMAND} status"
    done = subprocess.run(["sh", "-c", typed], capture_output=True, text=True, check=False)
    assert done.returncode == exits.USAGE and "The folder in which you type this" in done.stderr
