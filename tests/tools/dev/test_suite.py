"""The runner of every test says which part failed, and which one died before it could say so itself."""

import sys

import pytest

from tools.dev import suite


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0, "passed"),
        (1, "FAILED"),
        (3, "DIED (pytest exit code 3)"),
        (-11, "DIED (killed by signal 11)"),
        (5, "nothing to run"),
    ],
)
def test_an_exit_code_becomes_a_word(code: int, said: str) -> None:
    assert suite.verdict(code) == said


def test_compiled_python_is_kept_whatever_the_caller_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in suite.environment()
    assert suite.environment()["PYTHONPYCACHEPREFIX"] == str(suite.ROOT / "build" / "pycache")


def test_what_is_all_in_one_folder_is_looked_for_there_unless_tests_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(suite, "run", lambda command: ran.append(command) or 0)
    for chosen in ([], ["-x"], ["tests/core"]):
        monkeypatch.setattr(sys, "argv", ["suite", *chosen])
        suite.main()
    assert ["tests/integration" in command for command in ran] == [False, True, False] * 2 + [False] * 3


@pytest.mark.parametrize(
    ("ends", "exit_code", "words"),
    [
        ("0 0 0", 0, ["computes: passed", "simulated time: passed", "real time: passed"]),
        ("1 0 0", 1, ["computes: FAILED", "simulated time: passed", "real time: passed"]),
        ("0 1 0", 1, ["computes: passed", "simulated time: FAILED", "real time: passed"]),
        ("0 0 1", 1, ["computes: passed", "simulated time: passed", "real time: FAILED"]),
        ("-9 0 0", 1, ["computes: DIED (killed by signal 9)", "simulated time: passed", "real time: passed"]),
        ("0 5 0", 0, ["computes: passed", "simulated time: nothing to run", "real time: passed"]),
        (
            "5 5 5",
            1,
            ["computes: nothing to run", "simulated time: nothing to run", "real time: nothing to run"],
        ),
    ],
)
def test_every_part_runs_and_the_summary_names_what_became_of_each(
    ends: str,
    exit_code: int,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    codes = iter(int(end) for end in ends.split())
    ran: list[list[str]] = []

    def run(command: list[str]) -> int:
        ran.append(command)
        return next(codes)

    monkeypatch.setattr(suite, "run", run)
    monkeypatch.setattr(sys, "argv", ["suite", "tests/core"])
    assert suite.main() == exit_code
    said = capsys.readouterr().out.splitlines()[-3:]
    assert all(word in line for word, line in zip(words, said, strict=True))
    assert [command[-1] for command in ran] == ["tests/core"] * 3
    assert (
        "not wearable" in ran[0]
        and "wearable and not real_time" in ran[1]
        and "wearable and real_time" in ran[2]
    )
