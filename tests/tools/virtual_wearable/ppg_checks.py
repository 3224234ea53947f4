"""The MAX30102 register model and the light behind it, against the datasheet; runs on both runtimes."""

from math import exp

from tools.data.ppg_wave import ratio_of
from tools.virtual_wearable.models.bench import Bench

ADDRESS = 0x57


def started(
    average_code: int = 2, led: int = 0x24, spo2_config: int = 0x27, mode: int = 3, rollover: int = 0x10
) -> Bench:
    """A bench whose chip converts: 100 Hz, 4 averaged, 18 bits, both colours unless told otherwise."""
    bench = Bench()
    fifo_config = average_code << 5 | rollover | 0x0F
    settings = (
        (0x08, fifo_config),
        (0x0A, spo2_config),
        (0x0C, led),
        (0x0D, led),
        (0x02, 0xC0),
        (0x09, mode),
    )
    for register, value in settings:
        bench.i2c.writeto_mem(ADDRESS, register, bytes([value]))
    return bench


def pointers(bench: Bench) -> tuple:
    """(write, overflow, read)."""
    return tuple(bench.i2c.readfrom_mem(ADDRESS, 4, 3))


def read_samples(bench: Bench, count: int, width: int = 6) -> list:
    """`count` samples, each a tuple of 18-bit values."""
    data = bench.i2c.readfrom_mem(ADDRESS, 7, count * width)
    out = []
    for at in range(0, len(data), width):
        out.append(tuple((data[i] << 16 | data[i + 1] << 8 | data[i + 2]) for i in range(at, at + width, 3)))
    return out


def stream(bench: Bench, seconds: int) -> list:
    """All samples of a time span, drained each 400 ms."""
    out = []
    for _ in range(seconds * 5 // 2):
        bench.pass_ms(400)
        write, _overflow, read = pointers(bench)
        out += read_samples(bench, (write - read) & 31)
    return out


def check_a_burst_of_whole_samples_reads_as_its_bytes_one_by_one() -> None:
    for passed_ms, lost, width in ((400, 0, 6), (1280, 0, 6), (3000, 31, 6), (400, 0, 3)):
        benches = [started(mode=3 if width == 6 else 2, rollover=0x00) for _ in range(2)]
        read = []
        for bench, piece in zip(benches, (8 * width, 1)):  # noqa: B905 MicroPython has no strict
            bench.pass_ms(passed_ms)
            seen = bench.i2c.readfrom_mem(ADDRESS, 0, 7)
            assert seen[5] == lost or (lost and seen[5])
            data = b"".join([bench.i2c.readfrom_mem(ADDRESS, 7, piece) for _ in range(8 * width // piece)])
            read.append((data, bench.i2c.readfrom_mem(ADDRESS, 0, 7), bench.max30102.over_reads))
        assert read[0] == read[1]
        assert any(read[0][0])


def check_identity_and_power_on_values() -> None:
    bench = Bench()
    assert bench.i2c.readfrom_mem(ADDRESS, 0xFF, 1) == b"\x15"
    assert bench.i2c.readfrom_mem(ADDRESS, 0x00, 1) == b"\x01", "power ready"
    assert bench.i2c.readfrom_mem(ADDRESS, 0x00, 1) == b"\x00", "reading clears it"
    bench.i2c.writeto_mem(ADDRESS, 0xFF, b"\x99")
    assert bench.i2c.readfrom_mem(ADDRESS, 0xFF, 1) == b"\x15", "read only"


def check_nothing_converts_before_a_mode_or_in_shutdown() -> None:
    bench = Bench()
    bench.pass_ms(1000)
    assert pointers(bench) == (0, 0, 0)
    bench = started()
    bench.pass_ms(200)
    assert pointers(bench) == (5, 0, 0)
    bench.i2c.writeto_mem(ADDRESS, 9, b"\x83")
    bench.pass_ms(5000)
    assert pointers(bench) == (5, 0, 0), "shut down"
    bench.i2c.writeto_mem(ADDRESS, 9, b"\x03")
    bench.pass_ms(80)
    assert pointers(bench) == (7, 0, 0), "registers and FIFO were kept"


def check_rate_and_averaging() -> None:
    for average_code, expected in ((0, 20), (1, 10), (2, 5), (3, 2)):
        bench = started(average_code)
        bench.pass_ms(200)
        assert pointers(bench)[0] == expected, average_code
    bench = started(0, spo2_config=0x33)  # 800 Hz at 411 us is not possible: 400
    bench.pass_ms(50)
    assert pointers(bench)[0] == 20


def check_pointers_and_burst() -> None:
    bench = started()
    bench.pass_ms(440)
    assert pointers(bench) == (11, 0, 0)
    assert len(read_samples(bench, 4)) == 4
    assert pointers(bench) == (11, 0, 4)
    read_samples(bench, 7)
    assert pointers(bench) == (11, 0, 11) and bench.max30102.over_reads == 0
    bench.pass_ms(32 * 40 - 40)
    write, overflow, read = pointers(bench)
    assert ((write - read) & 31, overflow) == (31, 0), "the pointers wrap at 32"
    read_samples(bench, 32)
    assert bench.max30102.over_reads == 1, "one more than there was"


def check_half_a_sample_stays() -> None:
    bench = started()
    bench.pass_ms(80)
    whole = started()
    whole.pass_ms(80)
    expected = whole.i2c.readfrom_mem(ADDRESS, 7, 12)
    first = bench.i2c.readfrom_mem(ADDRESS, 7, 4)
    assert pointers(bench)[2] == 0, "the sample is not popped before its last byte"
    assert first + bench.i2c.readfrom_mem(ADDRESS, 7, 8) == expected


def check_overflow_with_rollover_keeps_the_newest() -> None:
    bench, twin = started(), started()
    bench.pass_ms(32 * 40)
    write, overflow, read = pointers(bench)
    assert write == read and overflow == 0, "full and empty look the same"
    bench.pass_ms(5 * 40)
    assert pointers(bench) == (5, 5, 5)
    assert bench.max30102.lost == 5
    twin.pass_ms(5 * 40)
    read_samples(twin, 5)
    twin.pass_ms(32 * 40)
    assert read_samples(bench, 32) == read_samples(twin, 32), "the newest 32"
    assert pointers(bench)[1] == 0, "reading a sample clears the counter"


def check_overflow_without_rollover_keeps_the_oldest() -> None:
    bench, twin = started(rollover=0), started(rollover=0)
    bench.pass_ms(40 * 40)
    assert pointers(bench) == (0, 8, 0)
    twin.pass_ms(32 * 40)
    assert read_samples(bench, 32) == read_samples(twin, 32)
    bench.pass_ms(40)
    assert pointers(bench) == (1, 0, 0), "goes on after room was made"


def check_overflow_counter_saturates() -> None:
    for rollover in (0, 0x10):
        bench = started(rollover=rollover)
        bench.pass_ms(60000)
        assert pointers(bench)[1] == 31
        assert bench.max30102.lost == 1500 - 32, rollover


def check_interrupt_flags() -> None:
    bench = started()
    assert bench.i2c.readfrom_mem(ADDRESS, 0, 1)[0] & 0xC0 == 0
    bench.pass_ms(40)
    assert bench.i2c.readfrom_mem(ADDRESS, 0, 1)[0] & 0xC0 == 0x40, "a sample is ready"
    assert bench.i2c.readfrom_mem(ADDRESS, 0, 1)[0] & 0xC0 == 0, "reading clears it"
    bench.pass_ms(16 * 40)
    assert bench.i2c.readfrom_mem(ADDRESS, 0, 1)[0] & 0x80, "15 places left: almost full"
    bench.pass_ms(40)
    bench.i2c.readfrom_mem(ADDRESS, 7, 6)
    assert bench.i2c.readfrom_mem(ADDRESS, 0, 1)[0] & 0x40 == 0, "reading data clears it too"
    bench.i2c.writeto_mem(ADDRESS, 2, b"\x00")
    bench.pass_ms(2000)
    assert bench.i2c.readfrom_mem(ADDRESS, 0, 1)[0] & 0xC0 == 0, "not enabled, not shown"


def check_reset_bit() -> None:
    bench = started()
    bench.pass_ms(200)
    bench.i2c.writeto_mem(ADDRESS, 9, b"\x40")
    assert bench.i2c.readfrom_mem(ADDRESS, 4, 10) == bytes(10)
    assert bench.i2c.readfrom_mem(ADDRESS, 0, 1) == b"\x01"


def check_stuck_fifo_answers_but_stands_still() -> None:
    bench = started()
    bench.pass_ms(200)
    assert pointers(bench) == (5, 0, 0)
    bench.max30102.stuck = True
    bench.pass_ms(2000)
    assert pointers(bench) == (5, 0, 0)
    bench.max30102.stuck = False
    bench.pass_ms(40)
    assert pointers(bench)[0] == 6


def check_slots_and_single_colour() -> None:
    bench = started(mode=2)
    bench.pass_ms(80)
    assert 95000 < read_samples(bench, 2, 3)[0][0] < 105000, "red only"
    bench = Bench()
    for register, value in ((0x11, 0x12), (0x0A, 0x27), (0x0C, 0x24), (0x0D, 0x24), (0x09, 7)):
        bench.i2c.writeto_mem(ADDRESS, register, bytes([value]))
    bench.pass_ms(100)
    infrared, red = read_samples(bench, 1)[0]
    assert infrared > 110000 > red > 90000, "slot 1 infrared, slot 2 red"


def check_led_current_range_and_clipping() -> None:
    half = stream(started(led=0x12), 1)[3]
    assert 58000 < half[1] < 62000 and 48000 < half[0] < 52000
    dark = stream(started(led=0), 1)[3]
    assert max(dark) < 60
    coarse = stream(started(spo2_config=0x47), 1)[3]
    assert 58000 < coarse[1] < 62000, "8192 nA full scale"
    assert stream(started(led=0x7F), 1)[3] == (0x3FFFF, 0x3FFFF), "saturated"


def check_resolution_by_pulse_width() -> None:
    for width_code, step in ((0, 8), (1, 4), (2, 2), (3, 1)):
        samples = stream(started(spo2_config=0x24 | width_code), 2)
        assert all(value % step == 0 for sample in samples for value in sample), width_code
        assert 110000 < samples[0][1] < 125000, "left-justified: the level stays"


def check_no_finger() -> None:
    bench = started()
    bench.wearer.spo2_pct = None
    samples = stream(bench, 2)
    assert 660 < sum(s[0] for s in samples) / len(samples) < 740
    assert 860 < sum(s[1] for s in samples) / len(samples) < 940


def pulse_of(samples: list, colour: int) -> list:
    """Samples minus their mean over a second: breathing and vasomotion go."""
    values = [s[colour] for s in samples]
    return [values[i] - sum(values[i - 12 : i + 13]) / 25 for i in range(12, len(values) - 12)]


def check_light_carries_spo2_and_rate() -> None:
    for spo2_pct, hr_bpm in ((98.0, 60.0), (90.0, 75.0), (82.0, 125.0)):
        bench = started()
        bench.wearer.spo2_pct, bench.wearer.hr_bpm, bench.wearer.pi_pct = spo2_pct, hr_bpm, 2.0
        samples = stream(bench, 30)
        red, infrared = pulse_of(samples, 0), pulse_of(samples, 1)
        dc = [sum(s[c] for s in samples) / len(samples) for c in (0, 1)]
        slope = sum(red[i] * infrared[i] for i in range(len(red))) / sum(i * i for i in infrared)
        ratio = slope * dc[1] / dc[0]
        measured = 1.5958 * ratio * ratio - 34.6597 * ratio + 112.6899
        assert abs(measured - spo2_pct) < 1.0, (spo2_pct, measured)
        best = max(
            range(8, 24 if hr_bpm > 100 else 40),
            key=lambda lag: sum(infrared[i] * infrared[i + lag] for i in range(len(infrared) - 40)),
        )
        assert abs(1500 / best - hr_bpm) < hr_bpm * 0.09, (hr_bpm, 1500 / best)
        depth = (max(infrared) - min(infrared)) / dc[1]
        assert 0.013 < depth < 0.03, depth


def check_no_pulse_is_level_without_waves() -> None:
    bench = started()
    bench.wearer.pi_pct = 0.0
    samples = stream(bench, 10)
    infrared = pulse_of(samples, 1)
    assert 115000 < samples[0][1] < 125000
    assert max(infrared) - min(infrared) < 400, "noise and a little breathing; a pulse of 1.5 % would be 1800"


def check_movement_shows_in_both_colours_and_only_while_it_lasts() -> None:
    bench = started()
    bench.max30102.wave.move(10.0, 20.0, 0.02)
    samples = stream(bench, 30)
    red, infrared = pulse_of(samples, 0), pulse_of(samples, 1)
    size = [max(infrared[at : at + 200]) - min(infrared[at : at + 200]) for at in (0, 265, 520)]
    assert size[1] > 2 * max(size[0], size[2]), size
    moved = range(265, 465)
    slope = sum(red[i] * infrared[i] for i in moved) / sum(infrared[i] ** 2 for i in moved)
    assert 0.65 < slope * 120 / 100 < 1.1, "movement has a ratio of 1, the pulse of 97 % one of 0.48"


def check_ratio_is_the_inverse_of_the_calibration() -> None:
    for tenths in range(600, 1001, 5):
        ratio = ratio_of(tenths / 10)
        assert abs(1.5958 * ratio * ratio - 34.6597 * ratio + 112.6899 - tenths / 10) < 1e-4
        assert 0.3 < ratio < 1.8


def check_same_seed_same_samples() -> None:
    one, other = Bench(seed=5), Bench(seed=6)
    again = Bench(seed=5)
    seen = []
    for bench in (one, other, again):
        for register, value in ((0x0A, 0x27), (0x0C, 0x24), (0x0D, 0x24), (0x09, 3)):
            bench.i2c.writeto_mem(ADDRESS, register, bytes([value]))
        bench.pass_ms(100)
        seen.append(read_samples(bench, 5))
    assert seen[0] == seen[2] != seen[1]


def check_probe_time_constants_are_plain_exponentials() -> None:
    from tools.virtual_wearable.models.tmp117 import Tmp117
    from tools.virtual_wearable.models.wearer import StillWearer

    now = [0]
    wearer = StillWearer(temp_c=None)
    probe = Tmp117(wearer, lambda: now[0])
    start = probe.probe_c
    wearer.temp_c = 37.0
    now[0] = 20000000
    probe.live()
    assert abs(probe.probe_c - (37.0 + (start - 37.0) * exp(-1))) < 0.05
