"""What ends up on a board is exactly what that board needs."""

from pathlib import Path

import pytest

from tools.board import build_firmware
from tools.board.flash import board_of
from tools.board.port import PortError


def test_a_real_board_never_gets_the_simulated_one() -> None:
    files = build_firmware.compile_application("pico2_w")
    assert {name[7:] for name in files if name.startswith("boards/")} == {"__init__.mpy", "pico2_w.mpy"}


def test_every_core_and_device_module_is_compiled() -> None:
    tree = build_firmware.source_tree()
    files = build_firmware.compile_application("virtual")
    for package in ("crs_core", "crs_device"):
        for path in (tree / package).rglob("*.py"):
            name = path.relative_to(tree)
            is_wanted = not name.as_posix().startswith(build_firmware.HOST_ONLY)
            assert (str(name.with_suffix(".mpy")) in files) == is_wanted


def test_a_board_gets_no_scale_but_its_own_and_needs_none() -> None:
    files = build_firmware.compile_application("pico2_w")
    assert "crs_core/grade/astct.mpy" in files
    assert not [
        name for name in files if "/scales/" in name or name.endswith(("/case.mpy", "/code_texts.mpy"))
    ]
    tree = build_firmware.source_tree()
    for name in files:
        source = (tree / name).with_suffix(".py").read_text()
        assert "crs_core.grade.scales" not in source and "grade import case" not in source, name
        assert "code_texts" not in source.replace("code_texts.py", ""), name


def test_a_frozen_application_leaves_out_the_same_files(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen: dict[str, list[str] | None] = {}

    def package(name: str, files: list[str] | None = None, **_: object) -> None:
        frozen[name] = files

    tree = build_firmware.source_tree()
    monkeypatch.chdir(tree)  # the manifest reader does, too
    exec((tree / "manifest.py").read_text(), {"include": lambda _: None, "package": package})
    compiled = build_firmware.compile_application("virtual")
    core = {name.removeprefix("crs_core/") for name in compiled if name.startswith("crs_core/")}
    assert {name.removesuffix(".py") + ".mpy" for name in frozen["crs_core"] or ()} == core


def arch(mpy: bytes) -> int:
    """Native architecture in the head of an .mpy file, 0 for bytecode (MicroPython, "MicroPython .mpy files")."""
    return mpy[2] >> 2 & 15


@pytest.mark.parametrize("march", ["armv7emsp", "xtensawin"])
def test_the_loops_of_the_signal_chain_are_native_and_nothing_else(march: str) -> None:
    files = build_firmware.compile_application("pico2_w", march)
    native = {name: arch(code) for name, code in files.items() if arch(code)}
    number = build_firmware.MARCHES.index(march)
    assert native == {f"crs_device/signal/{name}.mpy": number for name in ("highpass", "kernels", "light")}


def test_without_native_code_the_same_functions_are_bytecode() -> None:
    files = build_firmware.compile_application("pico2_w", None)
    assert not [name for name, code in files.items() if arch(code)]
    assert b"autocorrelate" in files["crs_device/signal/kernels.mpy"]


@pytest.mark.parametrize(
    ("mpy", "march"), [(2822, "x64"), (0x1E06, "armv7emsp"), (0x2A06, "xtensawin"), (6, None), (0x3C06, None)]
)
def test_the_board_says_which_native_code_it_takes(mpy: int, march: str | None) -> None:
    assert build_firmware.march_of(mpy) == march


def test_the_version_follows_content_and_names() -> None:
    version = build_firmware.version
    assert len({version({"a": b"1"}), version({"a": b"2"}), version({"b": b"1"})}) == 3
    assert version({"a": b"1", "b": b"2"}) == version({"b": b"2", "a": b"1"})


def test_a_file_that_micropython_cannot_compile_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in build_firmware.PACKAGES:
        (tmp_path / package).mkdir()
    (tmp_path / "crs_core/bad.py").write_text("match 1:\n    case 1: pass\n")
    monkeypatch.setenv("CW_BOARD_FIRMWARE", str(tmp_path))
    with pytest.raises(build_firmware.BuildError, match="crs_core/bad.py"):
        build_firmware.compile_application("virtual")


@pytest.mark.parametrize(
    ("machine", "virtual", "board"),
    [
        ("Raspberry Pi Pico 2 W with RP2350", "0", "pico2_w"),
        ("Generic ESP32S3 module with ESP32S3", "0", "esp32s3"),
        ("linux [GCC 12] version", "1", "virtual"),
    ],
)
def test_the_board_says_which_file_it_needs(machine: str, virtual: str, board: str) -> None:
    assert board_of({"machine": machine, "virtual": virtual}) == board


def test_an_unknown_board_is_refused_with_advice() -> None:
    with pytest.raises(PortError, match="firmware/boards"):
        board_of({"machine": "PYBv1.1 with STM32F405RG", "virtual": "0"})
