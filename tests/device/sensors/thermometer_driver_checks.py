"""TMP117 and MAX30205 drivers against register models, good input and bad; runs on both runtimes."""

from crs_device.sensors import drivers, max30205, tmp117
from crs_device.sensors.bus import Bus
from crs_device.sensors.max30205 import Max30205
from crs_device.sensors.tmp117 import Tmp117

from tests.device.sensors.driver_checks import ConstantChip, refused
from tools.virtual_wearable.models.bench import Bench
from tools.virtual_wearable.models.i2c_bus import I2cBus

BOTH = (("tmp117", Tmp117, "part id"), ("max30205", Max30205, "limits"))


def started(name: str):
    """A bench with that thermometer, its model, and its driver, started and with its first conversion taken."""
    bench = Bench(thermometer=name)
    chip = {"tmp117": Tmp117, "max30205": Max30205}[name](Bus(bench.i2c))
    bench.pass_ms(100)  # its own conversions since power-on do not count
    chip.start()
    assert chip.read_cc() is None
    return bench, getattr(bench, name), chip


def check_tmp117_reads_each_conversion_once() -> None:
    bench, _, chip = started("tmp117")
    seen = 0
    for _ in range(20):
        bench.pass_ms(500)
        temp_cc = chip.read_cc()
        if temp_cc is not None:
            seen += 1
            assert 3695 <= temp_cc <= 3705
    assert 9 <= seen <= 10


def check_max30205_reads_what_the_call_before_started() -> None:
    bench, model, chip = started("max30205")
    bench.wearer.temp_c = model.probe_c = 38.4
    for _ in range(20):
        bench.pass_ms(1000)
        assert 3698 <= chip.read_cc() <= 3842
    assert abs(chip.read_cc() - 3840) <= 1


def check_codes() -> None:
    for name, table in (
        ("tmp117", ((0x1280, 3700), (0x1281, 3701), (0, 0), (0xFFFF, -1), (0xF380, -2500), (0x1900, 5000))),
        # 0x2502 is 37.0078 °C
        ("max30205", ((0x2500, 3700), (0x2501, 3700), (0x2502, 3701), (0, 0), (0xFFFF, 0), (0xFFFE, -1))),
        ("max30205", ((0xE700, -2500), (0x3200, 5000))),
        ("tmp117", ((0x8000, None),)),  # no result yet
    ):
        for code, temp_cc in table:
            bench, model, chip = started(name)
            bench.pass_ms(1100)
            model.live()
            model.regs[0] = code
            assert chip.read_cc() == temp_cc, (name, code, temp_cc)
            assert temp_cc is None or chip.code == code


def check_another_part_or_none_is_refused_by_name() -> None:
    for _, driver, word in BOTH:
        for value in (0x00, 0xFF):
            for call in ("identify", "start"):
                chip = driver(Bus(I2cBus({tmp117.ADDRESS: ConstantChip(value)})))
                assert word in refused(getattr(chip, call)), (word, value, call)
        refused(driver(Bus(I2cBus({}))).start)


def check_a_set_up_that_is_not_kept_is_refused() -> None:
    bench = Bench(thermometer="max30205")
    bench.max30205._configure = lambda value: None
    assert "did not take" in refused(Max30205(Bus(bench.i2c)).start)


def check_any_revision_of_a_tmp117_is_taken() -> None:
    bench = Bench()
    bench.tmp117.regs[15] = 0x3117
    chip = Tmp117(Bus(bench.i2c))
    chip.start()
    assert chip.identify() == 0x3117


def check_a_lost_set_up_is_an_error() -> None:
    for name, _, _ in BOTH:
        for value in (0x00, 0xFF):
            bench, _, chip = started(name)
            bench.i2c.devices[tmp117.ADDRESS] = ConstantChip(value)
            assert "set-up lost" in refused(chip.read_cc), (name, value)
    _, model, chip = started("max30205")
    model._power_on()
    assert "set-up lost" in refused(chip.read_cc)


def check_a_coarse_part_with_the_same_registers_is_found_out() -> None:
    bench, model, chip = started("max30205")

    def read_coarse():
        bench.pass_ms(1000)
        model.live()
        model.regs[0] &= 0xFF80  # 0.5 °C, as in an LM75
        return chip.read_cc()

    for _ in range(29):
        read_coarse()
    assert "not a MAX30205" in refused(read_coarse)
    chip.start()
    chip.read_cc()
    assert "not a MAX30205" in refused(read_coarse)  # a restart does not make it another part


class DeafAt:
    """A bus on which reads of one register are not acknowledged."""

    def __init__(self, i2c, register: int) -> None:
        self._i2c = i2c
        self._register = register

    def readfrom_mem_into(self, address: int, register: int, buffer) -> None:
        """As the bus does, but for that register."""
        if register == self._register:
            raise OSError(5)
        self._i2c.readfrom_mem_into(address, register, buffer)

    def writeto_mem(self, address: int, register: int, data) -> None:
        """As the bus does."""
        self._i2c.writeto_mem(address, register, data)


def check_the_thermometer_on_the_board_is_found() -> None:
    second = Bench(thermometer="max30205").i2c
    for i2c, driver in ((Bench().i2c, "Tmp117"), (second, "Max30205"), (DeafAt(second, 0x0F), "Max30205")):
        assert type(drivers.thermometer(Bus(i2c))).__name__ == driver
    for value in (0x00, 0xFF):
        bus = Bus(I2cBus({max30205.ADDRESS: ConstantChip(value)}))
        said = refused(lambda bus=bus: drivers.thermometer(bus))
        assert "not a TMP117: part id" in said and "not a MAX30205: limits" in said
    refused(lambda: drivers.thermometer(Bus(I2cBus({}))))
