"""What a board never reads is not in its bytecode: names of numbers, unused imports, names of parameters."""

from pathlib import Path
from typing import Any

import pytest

from tools.board.build_firmware import compile_application
from tools.board.fold_constants import FoldError, fold

UNITS = """from compat import const
STEP = const(4)
WIDE = const(STEP << 2 | 1)
NAMES = (1, 2)
LATE = const(len(NAMES))
"""


def folded(tmp_path: Path, **sources: str) -> dict[str, str]:
    for name, source in sources.items():
        (tmp_path / f"{name}.py").write_text(source)
    names = [Path(f"{name}.py") for name in sources]
    return {name.stem: source for name, source in fold(tmp_path, names).items()}


def test_a_name_that_is_imported_becomes_its_number(tmp_path: Path) -> None:
    user = "from units import NAMES, STEP, WIDE as BROAD\ndef f(x=STEP):\n    return x + BROAD + len(NAMES)\n"
    made = folded(tmp_path, units=UNITS, user=user)
    assert "STEP" not in made["user"] and "BROAD" not in made["user"] and "STEP" not in made["units"]
    scope: dict[str, object] = {"NAMES": (1, 2)}
    exec(made["user"].replace("from units import NAMES", ""), scope)
    assert scope["f"]() == 4 + 17 + 2  # type: ignore[operator]


def test_a_name_of_an_imported_module_becomes_its_number(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core/__init__.py").write_text("")
    (tmp_path / "core/units.py").write_text(UNITS)
    user = "from core import units as u\ndef f(a):\n    return u.WIDE, u.NAMES, a.WIDE\n"
    (tmp_path / "user.py").write_text(user)
    made = fold(tmp_path, [Path("core/__init__.py"), Path("core/units.py"), Path("user.py")])
    assert made[Path("user.py")].splitlines()[-1].strip() == "return (17, u.NAMES, a.WIDE)"


def test_a_number_that_is_made_of_imported_ones_is_worked_out(tmp_path: Path) -> None:
    made = folded(tmp_path, user="from units import WIDE\nTWICE = const(WIDE * 2)\nx = TWICE\n", units=UNITS)
    assert made["user"].splitlines()[-1] == "x = 34"


def test_what_is_no_plain_number_stays(tmp_path: Path) -> None:
    made = folded(tmp_path, units=UNITS, user="from units import LATE\nx = LATE\n")
    assert "LATE = const(len(NAMES))" in made["units"] and "from units import LATE" in made["user"]


@pytest.mark.parametrize("body", ["STEP = 5", "for STEP in (1, 2): pass", "[STEP for STEP in (1, 2)]"])
def test_a_constant_that_is_hidden_is_refused(tmp_path: Path, body: str) -> None:
    with pytest.raises(FoldError, match=r"user.py:3: STEP is a constant"):
        folded(tmp_path, units=UNITS, user=f"from units import STEP\ndef f():\n    {body}\n")
    with pytest.raises(FoldError, match=r"user.py:2: STEP"):
        folded(tmp_path, units=UNITS, user="from units import STEP\ndef f(STEP): return STEP\n")


def test_the_boards_bytecode_names_no_constant() -> None:
    files = compile_application("virtual")
    for module in ("crs_core/units.mpy", "crs_core/journal/block_layout.mpy", "crs_device/monitor.mpy"):
        assert b"STATUS_CHARGING" not in files[module]
    assert b"make_status" in files["crs_core/units.mpy"]


def test_an_import_that_only_numbers_and_annotations_used_is_left_out(tmp_path: Path) -> None:
    user = "from units import NAMES, STEP\nimport absent\ndef f(a: NAMES):\n    b: NAMES = a\n    return b + STEP\n"
    made = folded(tmp_path, compat="", units=UNITS, user=user)
    assert made["user"].split("\n") == [
        "pass",
        "import absent",
        "",
        "def f(a):",
        "    b = a",
        "    return b + 4",
    ]


@pytest.mark.parametrize(
    "reader",
    [
        "from user import NAMES\nx = NAMES",
        "import user\nx = user.NAMES",
        "def f():\n    from user import NAMES",
    ],
)
def test_an_import_that_another_module_reads_stays(tmp_path: Path, reader: str) -> None:
    made = folded(tmp_path, units=UNITS, user="from units import NAMES\n", reader=reader)
    assert made["user"] == "from units import NAMES"


def test_an_import_that_probes_whether_a_module_exists_stays(tmp_path: Path) -> None:
    made = folded(tmp_path, units=UNITS, user="from radio import BLE\n")
    assert made["user"] == "from radio import BLE"


def test_annotations_of_viper_stay(tmp_path: Path) -> None:
    user = "from units import ptr32\n@micropython.viper\ndef f(values: ptr32) -> int:\n    return values[0]\n"
    assert folded(tmp_path, units="", user=user)["user"].replace("\n\n", "\n") == user.strip()


def test_what_is_imported_for_types_alone_is_left_out(tmp_path: Path) -> None:
    made = folded(tmp_path, user="if TYPE_CHECKING:\n    import a\nelse:\n    import b\n")
    assert made["user"] == "import b"


def test_a_parameter_s_name_that_serves_nothing_else_becomes_a_letter(tmp_path: Path) -> None:
    made = folded(
        tmp_path, user="def f(first, second=1, *, third=2):\n    a = first\n    return a + second + third\n"
    )
    assert made["user"].split("\n")[0] == "def f(b, c=1, *, third=2):"
    scope: dict[str, Any] = {}
    exec(made["user"], scope)
    assert scope["f"](10, 20, third=30) == 60


@pytest.mark.parametrize(
    "body",
    [
        "    return name\nx = f(name=1)",  # a keyword of a call
        "    return name\nx = 'name'",  # a string: getattr could ask for it
        "    return name.name",
        "    return [lambda: name]",  # a function inside
        "    global y\n    y = name",
        "    try:\n        pass\n    except OSError as name:\n        pass",
        "    return name\nname = 1",
    ],
)
def test_a_parameter_s_name_that_is_used_for_something_else_stays(tmp_path: Path, body: str) -> None:
    assert folded(tmp_path, user=f"def f(name):\n{body}\n")["user"].startswith("def f(name):")


def test_a_name_of_the_scope_around_a_default_is_no_parameter(tmp_path: Path) -> None:
    made = folded(
        tmp_path, user="def g(base):\n    pass\ndef f(base=limit, more=3):\n    return base + more\n"
    )
    assert "def f(a=limit, b=3):\n    return a + b" in made["user"]
