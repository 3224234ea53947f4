"""The service's file for each system: what it says, whose it is, and the commands that take it in and out."""

import os
import plistlib
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from host_agent.errors import ConfigError
from host_agent.platform.service.installed import (
    Answer,
    ServiceError,
    Standing,
    install,
    marked_text,
    remove,
    standing,
)
from host_agent.platform.service.launchd import launchd_service
from host_agent.platform.service.of_this_system import service_of
from host_agent.platform.service.program import Program, this_program
from host_agent.platform.service.systemd import system_service, user_service
from host_agent.platform.service.windows_task import task_service

PROGRAM = Program(("/opt/cyto watch/bin/cytowatch", "run"), (("CYTOWATCH_HOME", "/home/ward/cytowatch"),))
ODD = ('/opt/a b/"x"/cyto', "run", "--config", "/srv/100%/$HOME/back\\slash's é.toml")


class FakeManager:
    """Answers as systemctl would; `refused` fails, `states` is what `show` says."""

    def __init__(self, refused=(), active=True):
        self.ran = []
        self.refused = set(refused)
        self.active = active

    def __call__(self, command):
        self.ran.append(" ".join(command))
        if "show" in command:
            return Answer(0, f"ActiveState={'active' if self.active else 'inactive'}\nMainPID=7")
        if self.refused & set(command):
            return Answer(1, "Access denied")
        return Answer(0, "")


@pytest.fixture
def service(tmp_path):
    return user_service(PROGRAM, tmp_path, "maria")


def test_it_is_installed_once_and_again_changes_nothing(service):
    manager = FakeManager()
    assert install(service, manager) == (True, [])
    assert manager.ran == [
        "systemctl --user daemon-reload", "systemctl --user enable cytowatch.service", "loginctl enable-linger maria",
        "systemctl --user restart cytowatch.service",
    ]  # fmt: skip
    assert service.file.read_text() == marked_text(service) and standing(service) == Standing.CURRENT
    manager.ran.clear()
    assert install(service, manager) == (False, [])
    assert not any("restart" in command for command in manager.ran), "monitoring is not interrupted"


def test_one_that_is_installed_and_does_not_run_is_started(service):
    install(service, FakeManager())
    manager = FakeManager(active=False)
    install(service, manager)
    assert manager.ran[-1] == "systemctl --user restart cytowatch.service"


def test_an_older_one_of_its_own_is_replaced(service, tmp_path):
    install(service, FakeManager())
    other = user_service(Program(("/usr/bin/cytowatch", "run")), tmp_path, "maria")
    assert standing(other) == Standing.OLDER
    assert install(other, FakeManager())[0] and standing(other) == Standing.CURRENT


def foreign(service):
    service.file.write_text("[Service]\nExecStart=/bin/other\n")


def edited(service):
    service.file.write_text(marked_text(service).replace("WatchdogSec=30", "WatchdogSec=0"))


def masked(service):
    service.file.symlink_to("/dev/null")


def folder(service):
    service.file.mkdir()


def binary(service):
    service.file.write_bytes(b"\xff\xfe\x00unit")


def linked(service):
    target = service.file.with_name("elsewhere")
    target.write_text(marked_text(service))
    service.file.symlink_to(target)


def a_line_that_only_looks_like_ours(service):
    service.file.write_text("# Made by `cytowatch service install`; change nothing here.\n[Service]\n")


def as_it_is(file):
    found = os.lstat(file)
    return found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns


@pytest.mark.parametrize(
    "there", [foreign, edited, masked, folder, binary, linked, a_line_that_only_looks_like_ours]
)
def test_what_is_not_its_own_is_neither_overwritten_nor_deleted(service, there):
    service.file.parent.mkdir(parents=True)
    there(service)
    before = as_it_is(service.file)
    for act in (install, remove):
        manager = FakeManager()
        with pytest.raises(ServiceError, match="cytowatch.service"):
            act(service, manager)
        assert manager.ran == []
    assert as_it_is(service.file) == before


def test_it_is_removed_once_and_again_says_that_there_was_none(service):
    install(service, FakeManager())
    manager = FakeManager()
    assert remove(service, manager) and not service.file.exists()
    assert manager.ran == [
        "systemctl --user disable --now cytowatch.service",
        "systemctl --user daemon-reload",
    ]
    assert not remove(service, manager)


def test_a_refused_lingering_is_said_and_stops_nothing(service):
    is_new, (problem,) = install(service, FakeManager(refused={"enable-linger"}))
    assert is_new and "sudo loginctl enable-linger maria" in problem and "Access denied" in problem


@pytest.mark.parametrize("word", ["daemon-reload", "enable", "restart"])
def test_a_manager_that_refuses_is_an_error_with_its_words_and_the_next_try_goes_on(service, word):
    with pytest.raises(ServiceError, match="Access denied"):
        install(service, FakeManager(refused={word}))
    assert install(service, FakeManager(active=False)) == (False, [])


def test_a_service_that_cannot_be_stopped_is_not_deleted(service):
    install(service, FakeManager())
    with pytest.raises(ServiceError, match="disable --now"):
        remove(service, FakeManager(refused={"disable"}))
    assert service.file.exists()


def test_a_folder_that_cannot_be_written_says_what_to_do(tmp_path):
    (tmp_path / "systemd").write_text("no folder")
    with pytest.raises(ServiceError, match="cannot be written"):
        install(user_service(PROGRAM, tmp_path, "maria"), FakeManager())


def test_a_computer_without_systemd_says_so(service):
    with pytest.raises(ServiceError, match="systemctl is not on this computer"):
        install(service, lambda command: Answer(None, f"{command[0]} is not on this computer"))


def unit_words(line):
    """As systemd reads a command line: words in quotes, then `%` and `$` doubled."""
    text, words, word, is_quoted, at = line.partition("=")[2], [], "", False, 0
    while at < len(text):
        sign = text[at]
        if sign == "\\" and is_quoted:
            at += 1
            word += text[at]
        elif sign == '"':
            is_quoted = not is_quoted
        elif sign == " " and not is_quoted:
            words.append(word)
            word = ""
        else:
            word += sign
        at += 1
    return [one.replace("%%", "%").replace("$$", "$") for one in [*words, word]]


def test_odd_names_come_through(tmp_path):
    service = user_service(Program(ODD, (("CYTOWATCH_HOME", '/a "b" %h $x'),)), tmp_path, "m")
    lines = service.text.splitlines()
    assert unit_words(next(line for line in lines if line.startswith("ExecStart="))) == list(ODD)
    given = next(line for line in lines if line.startswith("Environment=")).partition("=")[2]
    assert given == '"CYTOWATCH_HOME=/a \\"b\\" %%h $x"'


@pytest.mark.parametrize("name", ["a\nb", "tab\tb", "zero\0", "\u202e"])
def test_a_name_that_no_file_takes_is_refused(name):
    with pytest.raises(ConfigError, match="nobody can read"):
        this_program(None, {"CYTOWATCH_HOME": f"/srv/{name}"})


def test_the_unit_is_watched_restarted_and_shut_in():
    for service in (user_service(PROGRAM, Path("/home/m"), "m"), system_service(PROGRAM, "m", ("audio",))):
        lines = service.text.splitlines()
        for line in (
            "Type=notify", "NotifyAccess=main", "Restart=always", "WatchdogSec=30", "StartLimitIntervalSec=0",
            "NoNewPrivileges=yes", "SystemCallFilter=@system-service", "UMask=0077",
        ):  # fmt: skip
            assert lines.count(line) == 1, line
    assert "User=m" in lines and "CapabilityBoundingSet=" in lines and "WantedBy=multi-user.target" in lines


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze here; `apt-get install systemd`"
)
@pytest.mark.parametrize("is_system", [True, False], ids=["system", "user"])
@pytest.mark.parametrize("command", [("/bin/true", "run"), ("/bin/true", *ODD[1:])], ids=["plain", "odd"])
def test_systemd_itself_finds_nothing_wrong(tmp_path, is_system, command):
    program = Program(command, PROGRAM.environment)
    made = (
        system_service(program, "root", ("audio",)) if is_system else user_service(program, tmp_path, "root")
    )
    unit = tmp_path / "cytowatch.service"
    unit.write_text(marked_text(made))
    manager = () if is_system else ("--user",)
    done = subprocess.run(
        ["systemd-analyze", "verify", *manager, unit], capture_output=True, text=True, check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_the_launch_agent_of_macos_is_a_property_list(tmp_path):
    service = launchd_service(Program(ODD, PROGRAM.environment), tmp_path, 501)
    told = plistlib.loads(service.text.encode())
    assert told["ProgramArguments"] == list(ODD) and told["EnvironmentVariables"] == dict(PROGRAM.environment)
    assert told["RunAtLoad"] and told["KeepAlive"] and "was not run on macOS" in service.limits
    assert service.take_in == (("launchctl", "bootstrap", "gui/501", str(service.file)),)
    install(service, FakeManager())
    assert standing(service) == Standing.CURRENT and plistlib.loads(service.file.read_bytes()) == told


def test_the_task_of_windows_is_whole_xml_that_goes_on_with_the_battery(tmp_path):
    service = task_service(Program(("C:\\a & b\\cytowatch.exe", "run"), ()), tmp_path, "WARD\\maria")
    root = ElementTree.fromstring(service.text.encode("utf-16"))
    name = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    found = {one.tag.removeprefix(name): one.text for one in root.iter()}
    assert found["Command"] == "C:\\a & b\\cytowatch.exe" and found["Arguments"] == "run"
    assert found["StopIfGoingOnBatteries"] == found["DisallowStartIfOnBatteries"] == "false"
    assert (
        found["ExecutionTimeLimit"] == "PT0S" and found["Count"] == "999" and found["UserId"] == "WARD\\maria"
    )
    assert "was not run on Windows" in service.limits
    install(service, FakeManager())
    assert (
        service.file.read_bytes()[:2] in (b"\xff\xfe", b"\xfe\xff") and standing(service) == Standing.CURRENT
    )
    edited = service.file.read_text(encoding="utf-16").replace("PT0S", "PT1H")
    service.file.write_text(edited, encoding="utf-16")
    assert standing(service) == Standing.CHANGED


def test_the_task_of_windows_brings_the_state_folder(tmp_path):
    service = task_service(PROGRAM, tmp_path, "maria")
    assert 'set "CYTOWATCH_HOME=/home/ward/cytowatch"' in service.text and "cmd.exe" in service.text


@pytest.mark.parametrize(
    ("platform", "is_system", "user"), [("darwin", True, "m"), ("linux", True, None), ("linux", False, "m")]
)
def test_what_a_system_does_not_have_is_refused(platform, is_system, user):
    with pytest.raises(ConfigError):
        service_of(PROGRAM, is_system=is_system, user=user, platform=platform)


def test_a_user_who_keeps_configurations_elsewhere_has_the_unit_there(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made = service_of(PROGRAM, is_system=False, user=None, platform="linux")
    assert made.file == tmp_path / "systemd/user/cytowatch.service"
