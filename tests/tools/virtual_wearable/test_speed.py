"""A speed is a whole number, however it is spelled."""

import argparse

import pytest

from tools.virtual_wearable.__main__ import whole_speed


@pytest.mark.parametrize(("text", "speed"), [("1", 1), ("60", 60), ("60.0", 60), ("1e2", 100)])
def test_a_whole_number_in_any_spelling_is_taken(text: str, speed: int) -> None:
    assert whole_speed(text) == speed
    assert isinstance(whole_speed(text), int)


@pytest.mark.parametrize("text", ["0", "-1", "2.5", "1001", "nan", "inf", "fast", ""])
def test_anything_else_is_refused_with_the_bounds(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="1 to 1000"):
        whole_speed(text)
