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


@pytest.mark.parametrize(
    ("ends", "exit_code", "words"),
    [
        ("0 0", 0, ["computes: passed", "wearables: passed"]),
        ("1 0", 1, ["computes: FAILED", "wearables: passed"]),
        ("0 1", 1, ["computes: passed", "wearables: FAILED"]),
        ("-9 0", 1, ["computes: DIED (killed by signal 9)", "wearables: passed"]),
        ("0 5", 0, ["computes: passed", "wearables: nothing to run"]),
        ("5 5", 1, ["computes: nothing to run", "wearables: nothing to run"]),
    ],
)
def test_both_parts_run_and_the_summary_names_what_became_of_each(
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
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert words[0] in first and words[1] in second
    assert [command[-1] for command in ran] == ["tests/core", "tests/core"]
    assert "not wearable" in ran[0] and "wearable" in ran[1]
