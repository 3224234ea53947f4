"""Where the output of the tools goes: full disks, closed streams, devices, Ctrl-C; never a traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools.rig.micropython import ROOT

LIGHT = "red,ir\n" + "".join(f"{100000 + n % 7},{120000 + n % 5}\n" for n in range(100))
SESSION = "Time,SpO2 A,Pulse A\n" + "".join(f"12:00:{n:02d},9{n % 9},8{n % 7}\n" for n in range(20))
RECORDING = "t_s,temp_c,spo2_pct,hr_bpm\n0,36.5,97,80\n"
PAIRS = "device_c,reference_c\n" + "".join(f"36.{n},36.{n + 1}\n" for n in range(8))
COMMANDS = {
    "ppg_generator": ("tools.data.ppg_generator", "--seconds", "2"),
    "ppg_replay": ("tools.data.ppg_replay", "light.csv", "--fs", "25", "--runtime", "cpython"),
    "check": ("tools.data.recording", "check", "recording.csv"),
    "calibrate": ("tools.board.calibrate", "temperature", "pairs.csv", "--by", "x", "-o", "made.txt"),
}
WRITING = {
    "ppg_replay": ("tools.data.ppg_replay", "light.csv", "--fs", "25", "--runtime", "cpython", "--out"),
    "desaturation": ("tools.data.recording", "desaturation", "session.csv", "-o"),
    "calibrate": ("tools.board.calibrate", "temperature", "pairs.csv", "--by", "x", "-o"),
}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "firmware")]))
    for name, text in (("light", LIGHT), ("session", SESSION), ("recording", RECORDING), ("pairs", PAIRS)):
        Path(f"{name}.csv").write_text(text)


def ended(command: tuple[str, ...], **how: object) -> tuple[int, str]:
    """(exit code, what was said)."""
    done = subprocess.run(
        [sys.executable, "-m", *command], stderr=subprocess.PIPE, text=True, check=False, **how
    )  # type: ignore[call-overload]
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_under_the_standard_output_is_said(name: str) -> None:
    with Path("/dev/full").open("w") as full:
        code, said = ended(COMMANDS[name], stdout=full)
    assert code == 1 and "could not be written (No space left on device)" in said
    assert not Path("made.txt").exists()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_closed_standard_output_is_no_fault(name: str) -> None:
    assert ended(COMMANDS[name], preexec_fn=lambda: os.close(1))[0] == 0


@pytest.mark.parametrize("name", WRITING)
def test_a_full_device_is_named_by_its_own_name(name: str) -> None:
    code, said = ended((*WRITING[name], "/dev/full"), stdout=subprocess.DEVNULL)
    assert code == 2 and "/dev/full cannot be written: No space left on device" in said


@pytest.mark.parametrize("name", WRITING)
def test_a_disk_that_fills_while_writing_leaves_what_was_there(name: str) -> None:
    limit = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40)); sys.argv = sys.argv[1:]"
    Path("out").write_text("good\n")
    script = f"{limit}; runpy.run_module(sys.argv[0], run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", script, *WRITING[name], "out"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "out cannot be written: File too large" in done.stderr
    assert Path("out").read_text() == "good\n" and not list(Path().glob(".*part"))


def test_a_closed_standard_input_is_said() -> None:
    command = ("tools.data.ppg_replay", "-", "--fs", "25")
    code, said = ended(command, preexec_fn=lambda: os.close(0))
    assert code == 2 and "standard input, and it is closed" in said


@pytest.mark.parametrize(
    "command",
    [("tools.data.recording", "check", "pipe"), ("tools.data.ppg_replay", "pipe", "--fs", "25")],
)
def test_a_ctrl_c_while_it_waits_ends_it_with_a_word(command: tuple[str, ...]) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        pytest.skip(
            "these tests run where Ctrl-C is ignored, in the background of a shell: so would the command"
        )
    os.mkfifo("pipe")
    running = subprocess.Popen(
        [sys.executable, "-m", *command], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    writer = os.open("pipe", os.O_WRONLY)  # opens when the command has opened the other end
    running.send_signal(signal.SIGINT)
    said = running.communicate()[1]
    os.close(writer)
    assert running.returncode == 130 and "stopped" in said and "Traceback" not in said


@pytest.mark.parametrize("option", ["--seconds=inf", "--seconds=nan", "--hr=-5", "--spo2=500", "--pi=nan"])
def test_the_generator_refuses_what_no_body_has(option: str) -> None:
    code, said = ended(("tools.data.ppg_generator", option), stdout=subprocess.DEVNULL)
    assert code == 2 and "is outside" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("/dev/zero",), "neither a file nor a directory"), (("pipe",), "neither a file nor a directory"),
        (("huge",), "larger than any flash"), (("huge-folder",), "more than any flash"),
        (("light.csv", "--offset", "-1"), "must be 0 to"), (("light.csv", "--journal-id", "00"), "16 digits"),
        (("\x1b[2J",), "\\u001b[2J: no such file"),
    ],
)  # fmt: skip
def test_a_dump_reads_only_what_can_be_a_flash(arguments: tuple[str, ...], says: str) -> None:
    os.mkfifo("pipe")
    Path("huge-folder").mkdir()
    for path in ("huge", "huge-folder/a"):
        with Path(path).open("wb") as sparse:
            sparse.truncate(1 << 33)
    code, said = ended(("tools.data.journal_dump", *arguments), stdout=subprocess.DEVNULL)
    assert code == 2 and says in said
