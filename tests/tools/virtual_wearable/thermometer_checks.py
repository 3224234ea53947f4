"""The TMP117 register model and the bus, against the datasheet; runs on both runtimes."""

from tools.virtual_wearable.models.bench import Bench

ADDRESS = 0x48
READY = 0x2000


def word(bench: Bench, register: int) -> int:
    """One 16-bit register."""
    high, low = bench.i2c.readfrom_mem(ADDRESS, register, 2)
    return high << 8 | low


def put(bench: Bench, register: int, value: int) -> None:
    """Write one 16-bit register."""
    bench.i2c.writeto_mem(ADDRESS, register, bytes([value >> 8, value & 0xFF]))


def celsius(raw: int) -> float:
    """Of a temperature register."""
    return (raw - 0x10000 if raw & 0x8000 else raw) * 7.8125 / 1000


def check_identity_and_power_on_values() -> None:
    bench = Bench()
    assert word(bench, 0x0F) == 0x0117
    assert word(bench, 0) == 0x8000, "no conversion yet: -256 degrees"
    assert word(bench, 1) == 0x0220
    assert (word(bench, 2), word(bench, 3)) == (0x6000, 0x8000)
    put(bench, 0x0F, 1)
    assert word(bench, 0x0F) == 0x0117


def check_data_ready_rises_and_falls() -> None:
    bench = Bench()
    bench.pass_ms(120)
    assert word(bench, 1) & READY == 0, "8 conversions of 15.5 ms take 124 ms"
    bench.pass_ms(5)
    assert word(bench, 1) & READY
    assert word(bench, 1) & READY == 0, "reading the configuration clears it"
    bench.pass_ms(998)
    assert word(bench, 1) & READY == 0
    bench.pass_ms(1)
    assert word(bench, 1) & READY
    bench.pass_ms(1000)
    word(bench, 0)
    assert word(bench, 1) & READY == 0, "reading the temperature clears it"


def check_value_and_resolution() -> None:
    bench = Bench()
    bench.wearer.temp_c = bench.tmp117.probe_c = 38.4
    seen = set()
    for _ in range(60):
        bench.pass_ms(1000)
        raw = word(bench, 0)
        assert abs(celsius(raw) - 38.4) <= 2 * 0.0078125
        seen.add(raw)
    assert 2 <= len(seen) <= 4, "noise of one step, never a flat line"


def check_cycle_and_averaging() -> None:
    for config, cycle_ms in (
        (0x0000, 16),
        (0x0080, 125),
        (0x0220, 1000),
        (0x0060, 1000),
        (0x02A0, 4000),
        (0x0040, 500),
    ):
        bench = Bench()
        put(bench, 1, config)
        bench.pass_ms(cycle_ms * 3)
        word(bench, 1)
        bench.pass_ms(cycle_ms * 10 - 1)
        count = 0
        bench = Bench()
        put(bench, 1, config)
        for _ in range(32000 // 4):
            bench.pass_ms(4)
            count += 1 if word(bench, 1) & READY else 0
        assert abs(count - 32000 / cycle_ms) <= 32000 / cycle_ms * 0.04 + 1, (config, count)


def check_shutdown_and_one_shot() -> None:
    bench = Bench()
    bench.pass_ms(200)
    put(bench, 1, 0x0620)
    word(bench, 0)
    bench.pass_ms(5000)
    assert word(bench, 1) & READY == 0
    put(bench, 1, 0x0E20)
    bench.pass_ms(130)
    config = word(bench, 1)
    assert config & READY and config >> 10 & 3 == 1, "one result, then shut down again"
    bench.pass_ms(5000)
    assert word(bench, 1) & READY == 0


def check_soft_reset_and_offset() -> None:
    bench = Bench()
    put(bench, 7, 128)
    bench.pass_ms(1200)
    assert abs(celsius(word(bench, 0)) - 38.0) < 0.02
    put(bench, 1, 0x0002)
    assert word(bench, 0) == 0x8000 and word(bench, 1) == 0x0220 and word(bench, 7) == 0


def check_alert_flags() -> None:
    bench = Bench()
    put(bench, 2, int(36.0 / 0.0078125))
    bench.pass_ms(1200)
    assert word(bench, 1) & 0x8000
    put(bench, 2, int(40.0 / 0.0078125))
    put(bench, 3, int(38.0 / 0.0078125))
    bench.pass_ms(1200)
    assert word(bench, 1) & 0xC000 == 0x4000


def check_strap_off_cools_and_on_warms_slowly() -> None:
    bench = Bench()
    bench.pass_ms(1200)
    word(bench, 0)
    bench.wearer.temp_c = None
    bench.pass_ms(10000)
    assert 32.0 < celsius(word(bench, 0)) < 36.0
    bench.pass_ms(300000)
    assert 25.0 <= celsius(word(bench, 0)) <= 30.0
    bench.wearer.temp_c = 38.5
    bench.pass_ms(30000)
    assert 34.0 < celsius(word(bench, 0)) < 37.0, "still settling"
    bench.pass_ms(120000)
    assert abs(celsius(word(bench, 0)) - 38.5) < 0.05


def check_stuck_converter_repeats_itself() -> None:
    bench = Bench()
    bench.pass_ms(1200)
    first = word(bench, 0)
    bench.tmp117.stuck = True
    bench.wearer.temp_c = 40.0
    for _ in range(20):
        bench.pass_ms(1000)
        assert word(bench, 1) & READY and word(bench, 0) == first


def check_bus_faults() -> None:
    bench = Bench()
    assert bench.i2c.scan() == [0x48, 0x57]
    bench.i2c.fail(ADDRESS, times=2)
    for _ in range(2):
        try:
            word(bench, 1)
        except OSError as error:
            assert error.args[0] == 5
        else:
            raise AssertionError("nobody refused")
    assert word(bench, 0x0F) == 0x0117, "the third is answered"
    bench.i2c.fail(ADDRESS, errno=110)
    assert bench.i2c.scan() == [0x57]
    bench.i2c.heal(ADDRESS)
    assert word(bench, 0x0F) == 0x0117
    try:
        bench.i2c.readfrom(0x20, 1)
    except OSError as error:
        assert error.args[0] == 5
    else:
        raise AssertionError("nobody lives at 0x20")
    assert bench.i2c.refused == 2
