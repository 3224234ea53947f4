"""How long a cell lasts: currents from data sheets, added up for each board, radio and measuring schedule.

Nothing here was measured on a board. Where a data sheet gives no single figure for what this firmware does, the lowest
and the highest possible figure are used, so every sum is a range. Assumed figures are marked "assumed". Currents are
in milliamperes at the 3.3 V rail; the sums are at the cell.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from crs_core.grade.rules import DEFAULT
from crs_device.alarm import output as alarm_output
from crs_device.measuring import schedule

from tools.lab.bench.measuring import Row

ROOT = Path(__file__).resolve().parents[3]
CELL_MAH = 500
_CELL_V = 3.7
_UNMEASURED = "unmeasured, from data sheets"
_S3 = "ESP32-S3 Series Datasheet v2.2, table"
_RP2350 = "RP2350 datasheet, section 14.9.7.3, table 1446"
_MAX30102 = "MAX30102 data sheet 19-7740, electrical characteristics"


class Part(NamedTuple):
    """A current from `low` to `high` mA, and its source."""

    name: str
    low: float
    high: float
    source: str


class Board(NamedTuple):
    """The core, its radio when on, and the current of the cell for each mA at 3.3 V."""

    name: str
    core: Part
    radio: Part
    cell_per_rail: float
    supply: str


ESP32_S3_CORE = Part(
    "ESP32-S3 core, 160 MHz", 27.6, 54.6,
    f"{_S3} 5-9: both cores idle and no peripheral clock, to one core always computing and all clocks",
)  # fmt: skip
ESP32_S3_RADIO = Part(
    "ESP32-S3 radio, BLE connected each 50 ms", 1.4, 65.4,
    f"{_S3} 5-8: 0.4 ms RX at 93 mA and 0.3 ms TX at 176 mA above idle an event (spans assumed), to RX all"
    " the time, if the build does not let it sleep",
)  # fmt: skip
RP2350_CORE = Part(
    "RP2350 core, 150 MHz", 11.7, 15.5,
    f"{_RP2350}: CoreMark on one core 38.7 mW, to hello_serial 51.1 mW; no figure for an idle core",
)  # fmt: skip
CYW43439_RADIO = Part(
    "CYW43439 radio on", 2.0, 36.0,
    "cyw43-driver, pull request 126, its author's measurement: idle Wi-Fi with and without power saving; no BLE"
    " figure found (assumed alike)",
)  # fmt: skip
BOARDS = (
    Board("ESP32-S3", ESP32_S3_CORE, ESP32_S3_RADIO, 1.0, "linear regulator: the cell gives what the rail takes"),
    Board("Pico 2 W", RP2350_CORE, CYW43439_RADIO, 3.3 / (_CELL_V * 0.85),
          "buck-boost converter at 85 % (assumed), cell at 3.7 V"),
)  # fmt: skip


def led_mean_ma(peak_ma: float) -> float:
    """Both LEDs, each lit 411 us a hundred times a second."""
    return 2 * peak_ma * 411e-6 * 100


def _leds(name: str, peak_ma: int) -> Part:
    return Part(name, led_mean_ma(peak_ma), led_mean_ma(peak_ma), f"2 x {peak_ma} mA x 411 us x 100/s")


OPTICAL = (
    Part("MAX30102 supply", 0.6, 1.2, f"{_MAX30102}: supply current, typical to maximum"),
    _leds("MAX30102 LEDs at 7 mA, as set at first", 7),
)
OPTICAL_BRIGHT = (OPTICAL[0], _leds("MAX30102 LEDs at 25 mA", 25))
OPTICAL_RESTING = (Part("MAX30102 in shutdown", 0.0007, 0.01, f"{_MAX30102}: shutdown, typical to maximum"),)
_TMP117 = "TMP117 data sheet SNOSD82: average supply current at 1 Hz"
ALWAYS = (
    Part("TMP117, one conversion a second", 0.0035, 0.0035, _TMP117),
    Part("measuring light", 0.6, 1.2, "330 ohm at 3.3 V and 2.9 to 3.1 V of a blue LED (assumed)"),
    Part("battery divider", 0.0095, 0.0095, "4.2 V over 440 kohm"),
)


def sounding() -> tuple[Part, ...]:
    """Currents that a HIGH alarm adds, by the pattern that sounds."""
    burst = alarm_output._BURSTS[alarm_output.HIGH]
    share = sum(burst[::2]) / sum(burst)
    part_time = f"assumed, {share:.0%} of the time"
    red = "330 ohm at 3.3 V and 1.9 to 2.1 V of a red LED, half the time"
    return (
        Part("buzzer in a HIGH alarm", 1 * share, 5 * share, f"piezo, 1 to 5 mA {part_time}"),
        Part("motor in a HIGH alarm", 60 * share, 80 * share, f"coin motor, 60 to 80 mA {part_time}"),
        Part("red light in a HIGH alarm", 1.9, 2.1, red),
    )


def dark_share() -> float:
    """Share of a calm time in which the light is off when measuring by state."""
    dark_ms = schedule.dark_ms(DEFAULT)
    return float(dark_ms / (dark_ms + schedule.FIRST_VALUE_MS))


def rest(parts: tuple[Part, ...], share: float) -> tuple[Part, ...]:
    """Mean currents when the sensor is shut down for `share` of the time and `parts` run for the rest."""
    shares = [(part, 1 - share) for part in parts] + [(part, share) for part in OPTICAL_RESTING]
    return tuple(part._replace(low=part.low * time, high=part.high * time) for part, time in shares)


def cell_ma(board: Board, parts: tuple[Part, ...]) -> tuple[float, float]:
    """Lowest and highest current of the cell."""
    low, high = sum(part.low for part in parts), sum(part.high for part in parts)
    return low * board.cell_per_rail, high * board.cell_per_rail


def saved(board: Board, base: tuple[Part, ...], optical: tuple[Part, ...]) -> tuple[float, float]:
    """Lowest and highest share that measuring by state saves: each end of the sensor with the other of the rest."""
    lit, by_turns = cell_ma(board, optical), cell_ma(board, rest(optical, dark_share()))
    other = cell_ma(board, base)
    least = (lit[0] - by_turns[0]) / (other[1] + lit[0])
    most = (lit[1] - by_turns[1]) / (other[0] + lit[1])
    return least, most


def rows() -> Iterator[Row]:
    """Every part with its source, then the sums."""
    note = f"{_UNMEASURED} and assumptions"
    alarm = sounding()
    for part in (*OPTICAL, OPTICAL_BRIGHT[1], *OPTICAL_RESTING, *ALWAYS, *alarm):
        yield _part_row(part)
    for board in BOARDS:
        yield _part_row(board.core)
        yield _part_row(board.radio)
    for board in BOARDS:
        for radio, base in (("off", (board.core, *ALWAYS)), ("on", (board.core, board.radio, *ALWAYS))):
            head = f"energy, {board.name}, radio {radio}"
            states = (
                ("measuring continuous", OPTICAL),
                ("measuring by_state, calm", rest(OPTICAL, dark_share())),
                ("HIGH alarm sounding", OPTICAL + alarm),
            )
            for state, parts in states:
                low, high = cell_ma(board, base + parts)
                hours = f"{CELL_MAH / high:.0f} to {CELL_MAH / low:.0f} h of {CELL_MAH} mAh"
                yield (
                    f"{head}, {state}",
                    f"{low:.0f} to {high:.0f} mA, {hours}",
                    f"{note}; {board.supply}",
                    None,
                )
            for led, optical in (("7", OPTICAL), ("25", OPTICAL_BRIGHT)):
                least, most = saved(board, base, optical)
                what = f"{head}, saved by measuring by_state with {led} mA LEDs"
                yield what, f"{least:.1%} to {most:.1%} of a calm time", note, None


def _part_row(part: Part) -> Row:
    figure = f"{part.low:.3g} mA" if part.low == part.high else f"{part.low:.3g} to {part.high:.3g} mA"
    note = "unmeasured" if "assumed" in part.source else _UNMEASURED
    return f"energy part, {part.name}", figure, f"{note}: {part.source}", None
