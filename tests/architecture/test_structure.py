"""The house rules that a machine can check."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("firmware", "host_agent", "tools", "tests")
BANNED_NAMES = {"utils", "helpers", "common", "manager", "misc"}
CORE_MAY_IMPORT = {"struct", "binascii", "hashlib", "collections", "crs_core"}
DEVICE_MAY_IMPORT = CORE_MAY_IMPORT | {
    "crs_device", "boards", "asyncio", "os", "sys", "time", "gc", "vfs", "machine", "micropython",
    "select", "array", "math", "json", "errno", "bluetooth", "esp32", "rp2", "random",
}  # fmt: skip


def tracked_python() -> list[Path]:
    """Every Python file under version control."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def imported_roots(path: Path) -> set[str]:
    """Top-level names of every import in a file, guarded ones included."""
    roots: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            roots.add(node.module.split(".")[0])
    return roots


def test_no_module_is_longer_than_350_lines() -> None:
    long = {
        str(p.relative_to(ROOT)): n for p in tracked_python() if (n := len(p.read_text().splitlines())) > 350
    }
    assert not long


def test_no_module_is_named_for_what_does_not_belong_anywhere() -> None:
    assert not [str(p) for p in tracked_python() if p.stem in BANNED_NAMES]


def test_crs_core_imports_only_what_every_board_has() -> None:
    for path in (ROOT / "firmware/crs_core").rglob("*.py"):
        if path.name in ("compat.py", "on_cpython.py"):
            continue  # the one place that looks at which Python runs it, and what it takes on CPython
        assert imported_roots(path) <= CORE_MAY_IMPORT, path


def test_crs_device_imports_only_what_stock_micropython_has() -> None:
    for path in (ROOT / "firmware/crs_device").rglob("*.py"):
        assert imported_roots(path) <= DEVICE_MAY_IMPORT, path


def test_nothing_is_kept_in_a_form_that_runs_code_or_in_a_place_that_another_user_can_occupy() -> None:
    for path in tracked_python():
        assert not imported_roots(path) & {"pickle", "marshal", "shelve", "dill", "joblib"}, path
        if path.is_relative_to(ROOT / "tests") or "bluez_lane" in path.parts:
            continue
        text = path.read_text()
        assert "gettempdir" not in text and '"/tmp' not in text and "mktemp(" not in text, path


def test_boot_imports_nothing_of_the_application() -> None:
    assert not imported_roots(ROOT / "firmware/boot.py") & {"crs_core", "crs_device", "boards"}


def test_no_float_decides_a_grade() -> None:
    for path in (ROOT / "firmware/crs_core/grade").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), (path, node.lineno)
            assert not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)), (path, node.lineno)


def test_only_the_clock_modules_read_the_wall_clock_on_the_host() -> None:
    for path in (ROOT / "host_agent").rglob("*.py"):
        if path.name == "clock.py":
            continue
        text = path.read_text()
        assert "time.time(" not in text, path
        assert "datetime.now(" not in text, path


@pytest.mark.parametrize("folder", ["firmware", "host_agent", "tools", "tests"])
def test_every_folder_with_code_has_a_readme(folder: str) -> None:
    missing = []
    for path in [ROOT / folder, *(p for p in (ROOT / folder).rglob("*") if p.is_dir())]:
        parts = path.relative_to(ROOT).parts
        if "__pycache__" in parts or (folder == "tests" and len(parts) > 1):
            continue
        if any(child.suffix == ".py" for child in path.iterdir()) and not (path / "README.md").exists():
            missing.append("/".join(parts))
    assert not missing


def test_the_top_level_is_the_agreed_one() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    top = {line.split("/")[0] for line in listed.stdout.splitlines()}
    allowed = {
        "firmware",
        "host_agent",
        "tests",
        "tools",
        "README.md",
        "pyproject.toml",
        "Makefile",
        "LICENSE",
        "CHANGELOG.md",
        "requirements.lock",
    }
    assert {name for name in top if not name.startswith(".")} <= allowed
