"""Thermometer over time, against the register models; runs on both runtimes."""

from crs_core.spo2_curve import AN6845
from crs_core.units import TEMP_ABSENT, TEMP_FLAT, TEMP_OFF_BODY, TEMP_SETTLING, TEMP_VALID
from crs_device.health import SENSOR_RESTART, TEMP_FAIL, Health
from crs_device.measuring.sampling import Sampling
from crs_device.sensors import tmp117
from crs_device.sensors.bus import Bus
from crs_device.sensors.settling import MIN_CONTACT_MS
from crs_device.sensors.thermometer import FLAT_MS, Thermometer
from crs_device.sensors.tmp117 import Tmp117

from tests.device.sensors.driver_checks import ConstantChip
from tools.virtual_wearable.models.bench import Bench

CHIPS = ("tmp117", "max30205")


class Strap:
    """A thermometer on the register model of `chip`, polled once a second; found on its bus when none is named."""

    def __init__(self, chip: str = "tmp117", is_named: bool = True) -> None:
        self.bench = Bench(thermometer=chip)
        self.health = Health()
        bus = Bus(self.bench.i2c)
        self.thermometer = Thermometer(Tmp117(bus) if is_named else None, self.health, bus)

    def after(self, seconds: int):
        """Let so much time pass; the state then."""
        for _ in range(seconds):
            self.bench.pass_ms(1000)
            self.thermometer.poll(self.now_ms())
        return self.thermometer.state(self.now_ms())

    def now_ms(self) -> int:
        return self.bench.now_us // 1000

    def age_ms(self):
        return self.thermometer.age_ms(self.now_ms())

    def on_body(self):
        return self.thermometer.on_body(self.now_ms())


def check_settles_after_minimum_contact() -> None:
    strap = Strap()
    assert strap.after(MIN_CONTACT_MS // 1000 - 2) == TEMP_SETTLING
    assert strap.after(10) == TEMP_VALID, "two estimates must agree"
    assert 3695 <= strap.thermometer.temp_cc <= 3705 and strap.age_ms() <= 1000


def check_warming_probe_is_not_believed_until_still() -> None:
    strap = Strap()
    strap.bench.wearer.temp_c = None
    strap.bench.tmp117.probe_c = 27.0
    assert strap.after(5) == TEMP_OFF_BODY and strap.on_body() is False
    strap.bench.wearer.temp_c = 38.6
    for _ in range(200):
        if strap.after(1) == TEMP_VALID:
            # a fever already, though not settled
            assert strap.thermometer.temp_cc >= 3800, strap.thermometer.temp_cc
            return
        assert strap.thermometer.temp_cc is not None  # the raw value is kept
    raise AssertionError("never settled")


def check_taking_it_off_is_seen_within_ten_seconds() -> None:
    strap = Strap()
    assert strap.after(60) == TEMP_VALID
    strap.bench.wearer.temp_c = None
    assert strap.after(10) == TEMP_OFF_BODY and strap.on_body() is False
    assert strap.thermometer.temp_cc > 3300  # still warm, yet not on a body
    assert [strap.after(1) for _ in range(100)] == [TEMP_OFF_BODY] * 100
    strap.bench.wearer.temp_c = 37.0
    assert strap.after(180) == TEMP_VALID


def check_flat_converter_is_not_believed() -> None:
    strap = Strap()
    strap.after(60)
    strap.bench.tmp117.stuck = True
    assert strap.after(FLAT_MS // 1000 - 10) == TEMP_VALID
    assert strap.after(20) == TEMP_FLAT and strap.on_body() is None
    strap.bench.tmp117.stuck = False
    assert strap.after(5) == TEMP_VALID


def check_live_converter_is_never_flat() -> None:
    strap = Strap()
    strap.after(60)
    for _ in range(FLAT_MS // 1000 + 60):
        assert strap.after(1) == TEMP_VALID


def check_missing_chip_is_absent_and_comes_back() -> None:
    strap = Strap()
    strap.bench.i2c.fail(tmp117.ADDRESS)
    assert strap.after(7) == TEMP_ABSENT and strap.thermometer.temp_cc is None
    assert "no answer" in strap.thermometer.fault
    restarts = strap.health.value(SENSOR_RESTART)
    assert 3 <= restarts <= 4 and strap.health.value(TEMP_FAIL) == restarts + 1
    strap.bench.i2c.heal(tmp117.ADDRESS)
    assert strap.after(60) == TEMP_VALID and strap.thermometer.fault == ""


def check_one_bus_fault_does_not_unsettle() -> None:
    strap = Strap()
    strap.after(60)
    strap.bench.i2c.fail(tmp117.ADDRESS, 3)
    assert [strap.after(1) for _ in range(6)] == [TEMP_VALID] * 6
    strap.after(1)
    assert strap.age_ms() <= 1000


def check_lasting_bus_fault_becomes_absent_with_age() -> None:
    strap = Strap()
    strap.after(60)
    strap.bench.i2c.fail(tmp117.ADDRESS)
    assert strap.after(12) == TEMP_ABSENT and strap.on_body() is None
    assert strap.thermometer.temp_cc is not None and strap.age_ms() > 10000


def check_either_thermometer_is_taken_when_it_comes_and_its_faults_are_told() -> None:
    for chip in CHIPS:
        strap = Strap(chip, is_named=False)
        strap.bench.i2c.fail(tmp117.ADDRESS)
        assert strap.after(7) == TEMP_ABSENT and "no answer" in strap.thermometer.fault
        strap.bench.i2c.heal(tmp117.ADDRESS)
        assert strap.after(60) == TEMP_VALID and strap.thermometer.fault == "", chip
        assert 3698 <= strap.thermometer.temp_cc <= 3702 and strap.age_ms() <= 1000
        part = strap.bench.i2c.devices[tmp117.ADDRESS]
        part._power_on()  # a brown-out of the chip alone: the other power-on set-up is put right
        assert strap.after(5) == TEMP_VALID
        part.stuck = True
        assert strap.after(FLAT_MS // 1000 + 10) == TEMP_FLAT, chip
        part.stuck = False
        strap.bench.i2c.fail(tmp117.ADDRESS)
        assert strap.after(12) == TEMP_ABSENT and strap.health.value(TEMP_FAIL) > 3
        strap.bench.i2c.heal(tmp117.ADDRESS)
        assert strap.after(60) == TEMP_VALID, chip


def check_what_is_told_is_the_chips_own_code_and_nothing_added() -> None:
    for name, hundredths_per_code, code in (("tmp117", 100 / 128, 4779), ("max30205", 100 / 256, 9559)):
        bench = Bench(thermometer=name)
        sampling = Sampling(bench.i2c, {}, None, Health(), AN6845, 0)
        told = 0
        for second in range(1, 80):
            bench.pass_ms(1000)
            sampling.thermometer.poll(1000 * second - 500)  # starts the chip, or a conversion
            bench.pass_ms(100)
            bench.i2c.devices[tmp117.ADDRESS].live()
            bench.i2c.devices[tmp117.ADDRESS].regs[0] = code + second % 3
            bench.tmp117.regs[1] |= 0x2000
            vitals = sampling.measure(1000 * second)
            if second > 2:
                expected = (code + second % 3) * hundredths_per_code
                assert abs(vitals.temp_cc - expected) <= 0.5, (name, vitals.temp_cc, expected)
                told += 1
        assert told == 77


def check_a_bus_held_low_or_high_is_no_temperature() -> None:
    for chip in CHIPS:
        for value in (0x00, 0xFF):
            strap = Strap(chip, is_named=False)
            devices = strap.bench.i2c.devices
            assert strap.after(60) == TEMP_VALID
            part, devices[tmp117.ADDRESS] = devices[tmp117.ADDRESS], ConstantChip(value)
            assert strap.after(12) == TEMP_ABSENT, (chip, value)
            devices[tmp117.ADDRESS] = part
            assert strap.after(60) == TEMP_VALID, (chip, value)
