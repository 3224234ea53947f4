"""The button: what counts as a press, and which."""

from crs_device.alarm.button import LONG, NOTHING, SHORT, Button
from crs_device.health import BUTTON_BOUNCE, Health


def play(levels: list[tuple[int, bool]], health: Health | None = None) -> list[tuple[int, int]]:
    button = Button(health, BUTTON_BOUNCE)
    presses = [(t_ms, button.poll(is_down, t_ms)) for t_ms, is_down in levels]
    return [press for press in presses if press[1] != NOTHING]


def held(start_ms: int, end_ms: int) -> list[tuple[int, bool]]:
    return [(t_ms, start_ms <= t_ms < end_ms) for t_ms in range(0, 5000, 25)]


def test_a_short_press_counts_at_its_release() -> None:
    assert play(held(100, 600)) == [(600, SHORT)]


def test_a_long_press_counts_after_two_seconds_while_still_held_and_once() -> None:
    assert play(held(100, 4000)) == [(2100, LONG)]


def test_just_under_two_seconds_is_short() -> None:
    assert play(held(100, 2075)) == [(2075, SHORT)]


def test_a_long_press_is_long_even_when_nobody_looked_in_between() -> None:
    assert play([(0, True), (2500, False)]) == [(2500, LONG)]


def test_a_bounce_is_no_press_and_is_counted() -> None:
    health = Health()
    assert play([(0, True), (20, False), (40, False)], health) == [] and health.value(BUTTON_BOUNCE) == 1


def test_never_pressed_says_nothing() -> None:
    assert play(held(9000, 9001)) == []
