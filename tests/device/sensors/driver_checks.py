"""Bus and MAX30102 driver against register models, good input and bad; runs on both runtimes."""

from array import array

from crs_device.health import I2C_FAIL, I2C_RETRY, Health
from crs_device.sensors import max3010x
from crs_device.sensors.bus import Bus
from crs_device.sensors.max3010x import Max3010x

from tools.virtual_wearable.models.bench import Bench
from tools.virtual_wearable.models.i2c_bus import I2cBus


class ConstantChip:
    """Answers every read with the same byte: a bus line held low (0x00) or high (0xFF)."""

    def __init__(self, value: int) -> None:
        self.value = value

    def write(self, data: bytes) -> None:
        """Ignore what is written."""

    def read(self, count: int) -> bytes:
        """Nothing but `value`."""
        return bytes([self.value]) * count


class BreakingBus:
    """Passes everything on to a bus, but ends the next FIFO burst with a NACK after `after_bytes`."""

    def __init__(self, i2c) -> None:
        self._i2c = i2c
        self.after_bytes = -1

    def readfrom_mem_into(self, address: int, register: int, buffer) -> None:
        """As the bus does, or part of it."""
        if register == 7 and self.after_bytes >= 0:
            self._i2c.readfrom_mem(address, register, min(self.after_bytes, len(buffer)))
            self.after_bytes = -1
            raise OSError(5)
        self._i2c.readfrom_mem_into(address, register, buffer)

    def writeto_mem(self, address: int, register: int, data) -> None:
        """As the bus does."""
        self._i2c.writeto_mem(address, register, data)


def refused(call) -> str:
    """The words of the OSError that `call` must raise."""
    try:
        call()
    except OSError as error:
        return str(error.args[0])
    raise AssertionError("nothing was refused")


def buffers():
    """Red and infrared arrays of FIFO depth."""
    return array("i", [0] * 32), array("i", [0] * 32)


def started():
    """A bench, a running chip on it, and buffers."""
    return started_on_breaking_bus()[1:]


def started_on_breaking_bus():
    """The bus between a bench and a running chip, and what `started` gives."""
    bench = Bench()
    wire = BreakingBus(bench.i2c)
    chip = Max3010x(Bus(wire))
    chip.start()
    return wire, bench, chip, buffers()


def check_bus_retries_and_counts() -> None:
    bench = Bench()
    health = Health()
    bus = Bus(bench.i2c, health)
    bench.i2c.fail(max3010x.ADDRESS, 2)
    assert bus.read_u8(max3010x.ADDRESS, 0xFF) == 0x15 and (bus.retries, bus.failures) == (2, 0)
    bench.i2c.fail(max3010x.ADDRESS, 3)
    refused(lambda: bus.read_u8(max3010x.ADDRESS, 0xFF))
    assert (bus.retries, bus.failures) == (4, 1)
    assert health.value(I2C_RETRY) == 4 and health.value(I2C_FAIL) == 1
    bench.i2c.fail(max3010x.ADDRESS, 1)
    refused(lambda: bus.read_into(max3010x.ADDRESS, 0xFF, bytearray(1), 0))
    assert (bus.retries, bus.failures) == (4, 2)
    bench.i2c.fail(max3010x.ADDRESS, 3)
    refused(lambda: bus.write_u8(max3010x.ADDRESS, 0x0C, 1))
    assert bus.failures == 3


def check_ppg_sets_the_chip_up() -> None:
    bench, chip, _ = started()
    regs = bench.max30102.regs
    assert regs[0x08] == 0x40 and regs[0x09] == 0x03 and regs[0x0A] == 0x27
    assert regs[0x0C] == regs[0x0D] == max3010x.LED_CURRENT_DEFAULT and chip.is_running()
    bench.max30102._power_on()
    assert not chip.is_running()


def check_ppg_drains_25_samples_a_second_in_order() -> None:
    bench, chip, (red, infrared) = started()
    total = 0
    before = bench.i2c.transactions
    for _ in range(25):
        bench.pass_ms(400)
        n = chip.drain(red, infrared)
        assert n == 10
        total += n
        for i in range(n):
            assert 95000 < red[i] < 105000 and 112000 < infrared[i] < 124000
    assert total == 250 and bench.max30102.over_reads == 0 and bench.max30102.lost == 0
    assert bench.i2c.transactions - before == 50  # flags with pointers, and one burst, each time


def check_ppg_empty_fifo_is_nothing() -> None:
    bench, chip, (red, infrared) = started()
    assert chip.drain(red, infrared) == 0 and chip.overflow == 0 and bench.max30102.over_reads == 0


def check_ppg_equal_pointers_with_overflow_is_full_not_empty() -> None:
    bench, chip, (red, infrared) = started()
    bench.pass_ms(1480)
    assert chip.drain(red, infrared) == 32
    assert chip.overflow == bench.max30102.lost == 5 and not chip.overflow_is_floor
    assert bench.max30102.over_reads == 0
    bench.pass_ms(400)
    assert chip.drain(red, infrared) == 10 and chip.overflow == 0 and chip.bus_lost == 0


def check_ppg_overflow_counter_that_stopped_says_so() -> None:
    bench, chip, (red, infrared) = started()
    bench.pass_ms(10000)
    assert chip.drain(red, infrared) == 32 and chip.overflow == 31 and chip.overflow_is_floor


def check_ppg_18_bits_survive() -> None:
    i2c = I2cBus({max3010x.ADDRESS: ScriptedFifo([(0x3FFFF, 0x00000), (0x20001, 0x1FFFE)])})
    chip = Max3010x(Bus(i2c))
    red, infrared = buffers()
    assert chip.drain(red, infrared) == 2
    assert (red[0], infrared[0], red[1], infrared[1]) == (0x3FFFF, 0, 0x20001, 0x1FFFE)


class ScriptedFifo:
    """A FIFO holding given samples; the six bits above each 18 are noise, as the data sheet allows."""

    def __init__(self, samples) -> None:
        self._status = bytes([0, 0, 0, 0, len(samples), 0, 0])
        self._data = b""
        for sample in samples:
            for value in sample:
                self._data += bytes([0xFC | value >> 16, value >> 8 & 0xFF, value & 0xFF])
        self._register = 0

    def write(self, data: bytes) -> None:
        """Set the register."""
        self._register = data[0]

    def read(self, count: int) -> bytes:
        """Flags and pointers from 0, data from 7."""
        return (self._status if self._register == 0 else self._data)[:count]


def check_ppg_fifo_counts() -> None:
    for write, read, lost, is_flagged_full, is_unread, waiting in (
        (10, 4, 0, False, False, 6), (2, 30, 0, False, False, 4), (31, 0, 5, True, True, 31),
        (7, 7, 0, False, False, 0), (7, 7, 3, False, False, 32), (7, 7, 0, True, False, 32),
        (7, 7, 0, False, True, 32),
    ):  # fmt: skip
        found = max3010x.samples_waiting(write, read, lost, is_flagged_full, is_unread)
        assert found == waiting, (write, read, lost, is_flagged_full, is_unread, found)


def check_ppg_step_of_a_drain() -> None:
    for waiting, taken, is_broken, gap, was_full, was_slow, step in (
        (0, 0, False, 0, False, False, max3010x.NOTHING), (10, 0, False, 0, False, True, max3010x.READ),
        (10, 3, False, 0, False, False, max3010x.READ), (10, 3, True, 0, False, False, max3010x.ALIGN),
        (32, 0, True, 5, True, False, max3010x.ALIGN), (0, 0, True, 5, False, False, max3010x.NOTHING),
        (10, 3, True, 5, False, False, max3010x.DROP), (0, 3, True, 5, False, False, max3010x.DROP),
        (10, 0, False, 0, True, False, max3010x.DROP), (10, 3, True, 0, True, False, max3010x.DROP),
        (32, 0, False, 0, True, False, max3010x.READ), (32, 0, False, 0, True, True, max3010x.DROP),
        (32, 0, False, 0, False, True, max3010x.READ),
    ):  # fmt: skip
        inputs = (waiting, taken, is_broken, gap, was_full, was_slow)
        assert max3010x.drain_step(*inputs) == step, inputs


def check_ppg_wrong_part_is_refused_by_name() -> None:
    for value in (0x00, 0xFF, 0x11):
        chip = Max3010x(Bus(I2cBus({max3010x.ADDRESS: ConstantChip(value)})))
        assert f"part id 0x{value:02x}" in refused(chip.start)


def check_ppg_missing_chip_is_refused() -> None:
    refused(Max3010x(Bus(I2cBus({}))).start)


def check_ppg_chip_that_keeps_nothing_is_refused() -> None:
    bench = Bench()
    bench.max30102._store = lambda reg, value: None
    assert "did not take" in refused(Max3010x(Bus(bench.i2c)).start)


def check_ppg_chip_that_stays_in_reset_is_refused() -> None:
    class Stuck:
        register = 0

        def write(self, data: bytes) -> None:
            self.register = data[0]

        def read(self, count: int) -> bytes:
            return b"\x15" if self.register == 0xFF else b"\x40" * count

    assert "reset" in refused(Max3010x(Bus(I2cBus({max3010x.ADDRESS: Stuck()}))).start)


def check_ppg_all_ones_is_an_error_not_32_samples() -> None:
    bench, chip, (red, infrared) = started()
    bench.i2c.devices[max3010x.ADDRESS] = ConstantChip(0xFF)
    assert "out of range" in refused(lambda: chip.drain(red, infrared))


def check_ppg_all_zero_is_nothing() -> None:
    bench, chip, (red, infrared) = started()
    bench.i2c.devices[max3010x.ADDRESS] = ConstantChip(0x00)
    assert chip.drain(red, infrared) == 0 and not chip.is_running()


def check_ppg_nack_in_the_burst_counts_what_it_cost() -> None:
    wire, bench, chip, (red, infrared) = started_on_breaking_bus()
    bench.pass_ms(400)
    wire.after_bytes = 3 * 6 + 6  # four of ten samples leave the FIFO and are lost on the way
    refused(lambda: chip.drain(red, infrared))
    bench.pass_ms(400)
    assert chip.drain(red, infrared) == 16 and chip.bus_lost == 4
    bench.pass_ms(400)
    assert chip.drain(red, infrared) == 10 and chip.bus_lost == 0


def check_ppg_nack_in_the_middle_of_a_sample_never_shifts_the_next() -> None:
    for after_bytes in range(60):
        for wait_ms in (400, 1400):
            wire, bench, chip, (red, infrared) = started_on_breaking_bus()
            bench.pass_ms(400)
            wire.after_bytes = after_bytes
            refused(lambda chip=chip, red=red, infrared=infrared: chip.drain(red, infrared))
            bench.pass_ms(wait_ms)
            n = chip.drain(red, infrared)
            passed = bench.now_us // 40000
            assert n + chip.bus_lost + chip.overflow == passed, (after_bytes, wait_ms, n, chip.bus_lost)
            assert chip.overflow == bench.max30102.lost
            for i in range(n):
                assert 95000 < red[i] < 105000 and 112000 < infrared[i] < 124000, (after_bytes, wait_ms)


def check_ppg_nack_before_the_burst_costs_nothing() -> None:
    wire, bench, chip, (red, infrared) = started_on_breaking_bus()
    bench.pass_ms(400)
    wire.after_bytes = 0
    refused(lambda: chip.drain(red, infrared))
    assert chip.drain(red, infrared) == 10 and chip.bus_lost == 0
