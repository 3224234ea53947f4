"""What is installed is what the lock files name: every version, direct or not, with the hashes of its files."""

import importlib.metadata
import re
import tomllib

import pytest

from tools.dev.lock import LOCKED, MAIN, ROOT

ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(.*(?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)*)", re.M)
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK_FILES = [pytest.param(lock, id=lock.stem) for lock in LOCKED]


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def _locked(lock) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version, _ in ENTRY.findall((ROOT / lock).read_text()):
        found.setdefault(_name(name), set()).add(version)
    return found


@pytest.mark.parametrize("lock", LOCK_FILES)
def test_every_package_of_a_lock_has_one_version_and_a_hash(lock) -> None:
    text = (ROOT / lock).read_text()
    entries = ENTRY.findall(text)
    assert entries and all("--hash=sha256:" in rest for _, _, rest in entries)
    assert len(entries) == sum(line[:1].isalnum() for line in text.splitlines()), (
        "a line that is no locked package"
    )
    assert text.count("--hash=sha256:") == sum(rest.count("--hash=sha256:") for _, _, rest in entries)
    assert "://" not in text


@pytest.mark.parametrize("lock", LOCK_FILES)
def test_the_pins_of_the_project_stand_in_its_lock_files(lock) -> None:
    wanted = LOCKED[lock][0]
    if isinstance(wanted, str):
        pins = [wanted]
    else:
        extras = PYPROJECT["optional-dependencies"]
        pins = [*PYPROJECT["dependencies"], *(pin for extra in wanted for pin in extras[extra])]
    locked = _locked(lock)
    for pin in pins:
        name, version = pin.split(";")[0].strip().split("==")
        assert locked.get(_name(name)) == {version}, f"{lock}: {pin} is not locked. Run: make lock"


def test_nothing_is_installed_that_is_not_locked() -> None:
    locked = _locked(MAIN)
    for other in ("mutation",):
        for name, versions in _locked(MAIN.parent / f"tools/dev/locks/{other}.lock").items():
            locked.setdefault(name, set()).update(versions)
    for found in importlib.metadata.distributions():
        name = _name(found.metadata["Name"])
        if name not in ("pip", "cytowatch"):
            assert found.version in locked.get(name, ()), f"{name} {found.version} is not locked"
