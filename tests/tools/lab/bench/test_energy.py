"""The energy budget adds up, names where each current comes from, and is the reason of the default schedule."""

import pytest
from crs_core.settings import SETTINGS

from tools.lab.bench import energy
from tools.lab.bench.energy import ALWAYS, BOARDS, OPTICAL, OPTICAL_BRIGHT, OPTICAL_RESTING, Part

RADIO = {"off": False, "on": True}


def base(board: energy.Board, radio: str) -> tuple[Part, ...]:
    """What is always on."""
    return (board.core, *((board.radio,) if RADIO[radio] else ()), *ALWAYS)


def test_every_current_has_a_source_and_an_order() -> None:
    parts = [*OPTICAL, *OPTICAL_BRIGHT, *OPTICAL_RESTING, *ALWAYS, *energy.sounding()]
    for part in parts + [board.core for board in BOARDS] + [board.radio for board in BOARDS]:
        assert part.source
        assert 0 < part.low <= part.high


def test_the_leds_take_their_peak_for_a_twenty_fourth_of_the_time_each() -> None:
    assert energy.led_mean_ma(7) == pytest.approx(0.5754)
    assert energy.led_mean_ma(0) == 0


def test_the_sums_are_of_the_cell() -> None:
    parts = (Part("a", 1, 2, "x"), Part("b", 10, 20, "x"))
    linear, converter = BOARDS
    assert energy.cell_ma(linear, parts) == (11, 22)
    low, high = energy.cell_ma(converter, parts)
    assert (low, high) == (pytest.approx(11.54, abs=0.01), pytest.approx(23.08, abs=0.01))
    assert sum(part.high for part in energy.rest(parts, 0.75)) == pytest.approx(22 * 0.25 + 0.01 * 0.75)


def test_resting_saves_so_little_at_the_first_led_current_that_measuring_is_continuous_unless_asked_for() -> (
    None
):
    for board in BOARDS:
        for radio in RADIO:
            least, most = energy.saved(board, base(board, radio), OPTICAL)
            assert 0 < least < most < 0.10
    assert SETTINGS["measuring"].default == "continuous"


def test_the_printed_rows_say_that_nothing_was_measured() -> None:
    rows = list(energy.rows())
    assert len(rows) > 30
    assert all(note.startswith("unmeasured") and reached is None for _, _, note, reached in rows)
