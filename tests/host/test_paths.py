"""Where the state folder is, and that a place that this user cannot use is refused in words."""

import os
import shlex

import pytest

from host_agent.errors import ConfigError
from host_agent.paths import Paths, StateFolderError, default_paths, ports_folder, state_paths

NOBODY = 65534


@pytest.fixture
def environment(monkeypatch):
    """A process of cron or systemd: nothing is set."""
    for name in ("CYTOWATCH_HOME", "HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "TMPDIR"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_the_home_comes_from_the_environment_and_is_closed_to_others(tmp_path, environment):
    environment.setenv("CYTOWATCH_HOME", str(tmp_path / "home"))
    paths = default_paths().ensure()
    assert paths.database == tmp_path / "home" / "cytowatch.db"
    assert all(folder.stat().st_mode & 0o077 == 0 for folder in (paths.home, paths.keys))


@pytest.mark.parametrize("home", [None, "", "relative"])
def test_without_a_usable_home_variable_the_users_own_entry_decides(environment, home):
    if home is not None:
        environment.setenv("HOME", home)
    assert state_paths().home.is_absolute() and "~" not in str(state_paths().home)


def test_a_user_without_any_home_is_told_what_to_set(environment):
    def no_home(name):
        raise RuntimeError("could not determine the home directory")

    for unknown in (no_home, lambda name: f"~/.local/state/{name}"):
        environment.setattr("platformdirs.user_state_dir", unknown)
        with pytest.raises(ConfigError) as caught:
            state_paths()
        assert "CYTOWATCH_HOME" in caught.value.advice
        environment.setenv("CYTOWATCH_HOME", "/var/lib/ward")
        assert state_paths().home.name == "ward"
        environment.delenv("CYTOWATCH_HOME")


@pytest.mark.parametrize("home", ["ward", "./ward", "../ward", ".", "a b/c"])
def test_a_relative_home_is_refused_because_it_moves_with_the_working_folder(tmp_path, environment, home):
    environment.chdir(tmp_path)
    environment.setenv("CYTOWATCH_HOME", home)
    with pytest.raises(ConfigError, match="wherever a command is started") as caught:
        state_paths()
    environment.setenv("CYTOWATCH_HOME", shlex.split(caught.value.advice)[-1].partition("=")[2])
    assert state_paths().home == tmp_path / home


def test_an_unknown_user_in_the_home_is_refused(environment):
    environment.setenv("CYTOWATCH_HOME", "~no-such-user/ward")
    with pytest.raises(ConfigError, match="no such home"):
        state_paths()


def test_a_folder_of_another_user_is_refused_also_for_root(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    try:
        os.chown(home, NOBODY, NOBODY)
    except PermissionError:
        pytest.skip("only root can give a folder away")
    with pytest.raises(StateFolderError, match=r"belongs to .*\. You are ") as caught:
        Paths(home).check()
    assert "sudo -u" in caught.value.advice


@pytest.mark.parametrize("mode, writing, expected", [(0o000, False, "read"), (0o500, True, "written")])
def test_a_folder_without_rights_is_refused(tmp_path, monkeypatch, mode, writing, expected):
    home = tmp_path / "home"
    home.mkdir(mode=mode)

    def access(path, needed):  # as for any user but root
        have = os.R_OK * bool(mode & 0o400) | os.W_OK * bool(mode & 0o200) | os.X_OK * bool(mode & 0o100)
        return needed & have == needed

    monkeypatch.setattr("os.access", access)
    with pytest.raises(StateFolderError, match=f"cannot be {expected}") as caught:
        Paths(home).check(writing=writing)
    assert "chmod" in caught.value.advice


def test_a_folder_in_which_others_may_write_is_refused(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o777)
    with pytest.raises(StateFolderError, match="Other users may write") as caught:
        Paths(home).check()
    assert caught.value.advice == f"Run: chmod go-w {home}"


@pytest.mark.parametrize("make", ["file", "dangling link", "file in the way"])
def test_what_is_no_folder_is_refused(tmp_path, make):
    home = tmp_path / "home"
    if make == "file":
        home.write_text("")
    elif make == "dangling link":
        home.symlink_to(tmp_path / "unmounted")
    else:
        home.write_text("")
        home = home / "inside"
    with pytest.raises(StateFolderError):
        Paths(home).ensure()


def test_a_folder_that_is_not_there_yet_is_no_fault(tmp_path):
    assert Paths(tmp_path / "home").check().home == tmp_path / "home" and not (tmp_path / "home").exists()


def test_the_ports_folder_depends_on_no_temporary_folder_and_is_private(tmp_path, environment):
    environment.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    first = ports_folder()
    environment.setenv("TMPDIR", str(tmp_path / "other"))
    environment.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    assert ports_folder() == first == tmp_path / "state" / "cytowatch" / "ports"
    assert first.stat().st_mode & 0o077 == 0


def test_the_ports_folder_of_a_user_without_a_home_is_in_the_state_folder(tmp_path, environment):
    (tmp_path / "file").write_text("")
    environment.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    environment.setenv("CYTOWATCH_HOME", str(tmp_path / "home"))
    assert ports_folder() == tmp_path / "home" / "ports"


def test_a_ports_folder_that_is_a_link_of_somebody_is_refused(tmp_path, environment):
    environment.setenv("XDG_STATE_HOME", str(tmp_path))
    environment.setenv("CYTOWATCH_HOME", str(tmp_path / "cytowatch"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cytowatch").mkdir()
    (tmp_path / "cytowatch" / "ports").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateFolderError):
        ports_folder()
