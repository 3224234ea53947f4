"""The MAX30205 register model, against the data sheet; runs on both runtimes."""

from tools.virtual_wearable.models.bench import Bench

ADDRESS = 0x48


def fitted() -> Bench:
    """A bench with that chip on the bus."""
    return Bench(thermometer="max30205")


def word(bench: Bench, register: int) -> int:
    """One 16-bit register."""
    high, low = bench.i2c.readfrom_mem(ADDRESS, register, 2)
    return high << 8 | low


def put(bench: Bench, value: int) -> None:
    """Write the configuration."""
    bench.i2c.writeto_mem(ADDRESS, 1, bytes([value]))


def check_power_on_values() -> None:
    bench = fitted()
    assert word(bench, 0) == 0, "no conversion yet"
    assert bench.i2c.readfrom_mem(ADDRESS, 1, 1) == b"\x00"
    assert (word(bench, 2), word(bench, 3)) == (0x4B00, 0x5000)
    bench.i2c.writeto_mem(ADDRESS, 3, b"\x12\x34")
    assert word(bench, 3) == 0x1234
    assert word(bench, 0x0F) == 0x1234, "the pointer has two bits"


def check_it_converts_each_44_ms() -> None:
    bench = fitted()
    bench.pass_ms(43)
    assert word(bench, 0) == 0
    bench.pass_ms(1)
    assert abs(word(bench, 0) - 37 * 256) <= 3
    seen = set()
    for _ in range(60):
        bench.pass_ms(1000)
        seen.add(word(bench, 0))
    assert 2 <= len(seen) <= 5


def check_one_shot_converts_once_out_of_shutdown() -> None:
    bench = fitted()
    put(bench, 0x01)
    bench.pass_ms(1000)
    assert word(bench, 0) == 0, "the first conversion was given up"
    put(bench, 0x81)
    assert bench.i2c.readfrom_mem(ADDRESS, 1, 1) == b"\x01", "the bit reads back as 0"
    bench.pass_ms(43)
    assert word(bench, 0) == 0
    bench.pass_ms(1)
    first = word(bench, 0)
    assert abs(first - 37 * 256) <= 3
    bench.wearer.temp_c = 40.0
    bench.pass_ms(60000)
    assert word(bench, 0) == first


def check_the_extended_format_counts_from_64() -> None:
    bench = fitted()
    put(bench, 0x20)
    bench.pass_ms(1000)
    assert abs(word(bench, 0) - 0x10000 + 27 * 256) <= 3


def check_a_stuck_converter_repeats_itself() -> None:
    bench = fitted()
    bench.pass_ms(1000)
    first = word(bench, 0)
    bench.max30205.stuck = True
    bench.wearer.temp_c = 40.0
    bench.pass_ms(60000)
    assert word(bench, 0) == first
