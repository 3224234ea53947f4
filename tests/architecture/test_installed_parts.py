"""What is installed elsewhere is whole: every package of the product, and every file that it reads beside its code."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NOT_READ = ("host_agent/schema/",)  # published for other programs


def _setuptools():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]


def _folder(package: str) -> Path:
    return ROOT / ("firmware" if package.startswith("crs_core") else ".") / package.replace(".", "/")


def test_every_package_of_the_product_is_installed():
    named = set(_setuptools()["packages"])
    for top in ("host_agent", "firmware/crs_core"):
        for path in (ROOT / top).rglob("*.py"):
            parts = path.parent.relative_to(ROOT).parts
            package = ".".join(parts[1:] if parts[0] == "firmware" else parts)
            assert package in named, f"{package} is not among the packages of pyproject.toml"
    assert all(_folder(package).is_dir() for package in named)


def test_every_file_that_is_read_beside_the_code_is_installed():
    patterns = [
        (_folder(package), pattern)
        for package, globs in _setuptools()["package-data"].items()
        for pattern in globs
    ]
    found = [
        path
        for path in (ROOT / "host_agent").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".md", ".pyc", ".png")
    ]
    assert len(found) > 20
    for path in found:
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(_NOT_READ):
            assert any(
                path.is_relative_to(folder) and fnmatch(path.relative_to(folder).as_posix(), pattern)
                for folder, pattern in patterns
            ), f"{name} is not in package-data of pyproject.toml"
