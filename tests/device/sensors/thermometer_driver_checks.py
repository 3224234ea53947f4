"""TMP117 and MAX30205 drivers against register models, good input and bad; runs on both runtimes."""

from crs_device.sensors import drivers, max30205, tmp117
from crs_device.sensors.bus import Bus
from crs_device.sensors.max30205 import Max30205
from crs_device.sensors.tmp117 import Tmp117

from tests.device.sensors.driver_checks import ConstantChip, refused
from tools.virtual_wearable.models.bench import Bench
from tools.virtual_wearable.models.i2c_bus import I2cBus


def check_thermometer_reads_each_conversion_once() -> None:
    bench = Bench()
    chip = Tmp117(Bus(bench.i2c))
    chip.start()
    assert chip.read_cc() is None
    seen = 0
    for _ in range(20):
        bench.pass_ms(500)
        temp_cc = chip.read_cc()
        if temp_cc is not None:
            seen += 1
            assert 3695 <= temp_cc <= 3705
    assert 9 <= seen <= 10


def check_thermometer_codes() -> None:
    for code, temp_cc in (
        (0x1280, 3700),
        (0x1281, 3701),
        (0x0000, 0),
        (0xFFFF, -1),
        (0xF380, -2500),
        (0x1900, 5000),
    ):
        bench = Bench()
        chip = Tmp117(Bus(bench.i2c))
        chip.start()
        bench.pass_ms(1100)
        bench.tmp117.live()
        bench.tmp117.regs[0] = code
        assert chip.read_cc() == temp_cc, (code, temp_cc)
        assert chip.code == code


def check_thermometer_no_result_yet_is_none() -> None:
    bench = Bench()
    chip = Tmp117(Bus(bench.i2c))
    chip.start()
    bench.pass_ms(1100)
    bench.tmp117.live()
    bench.tmp117.regs[0] = 0x8000
    assert chip.read_cc() is None


def check_thermometer_wrong_part_is_refused_by_name() -> None:
    for value in (0x00, 0xFF):
        chip = Tmp117(Bus(I2cBus({tmp117.ADDRESS: ConstantChip(value)})))
        assert "part id" in refused(chip.start)
    refused(Tmp117(Bus(I2cBus({}))).start)


def check_thermometer_any_revision_is_taken() -> None:
    bench = Bench()
    bench.tmp117.regs[15] = 0x3117
    Tmp117(Bus(bench.i2c)).start()


def check_thermometer_lost_set_up_is_an_error() -> None:
    bench = Bench()
    chip = Tmp117(Bus(bench.i2c))
    chip.start()
    for value in (0x00, 0xFF):
        bench.i2c.devices[tmp117.ADDRESS] = ConstantChip(value)
        assert "set-up lost" in refused(chip.read_cc)


def second():
    """A bench with a MAX30205, and its driver."""
    bench = Bench(thermometer="max30205")
    return bench, Max30205(Bus(bench.i2c))


def check_second_thermometer_reads_what_the_call_before_started() -> None:
    bench, chip = second()
    bench.pass_ms(100)  # its own conversions since power-on do not count
    chip.start()
    assert chip.read_cc() is None
    bench.wearer.temp_c = bench.max30205.probe_c = 38.4
    for _ in range(20):
        bench.pass_ms(1000)
        assert 3698 <= chip.read_cc() <= 3842
    assert abs(chip.read_cc() - 3840) <= 1


def check_second_thermometer_codes() -> None:
    for code, temp_cc in (
        (0x2500, 3700),
        (0x2501, 3700),
        (0x2502, 3701),  # 37.0078
        (0x0000, 0),
        (0xFFFF, 0),
        (0xFFFE, -1),
        (0xE700, -2500),
        (0x3200, 5000),
    ):
        bench, chip = second()
        chip.start()
        chip.read_cc()
        bench.pass_ms(1000)
        bench.max30205.live()
        bench.max30205.regs[0] = code
        assert chip.read_cc() == temp_cc, (code, temp_cc)
        assert chip.code == code


def check_second_thermometer_is_refused_when_it_is_not_one() -> None:
    for value in (0x00, 0xFF):
        chip = Max30205(Bus(I2cBus({max30205.ADDRESS: ConstantChip(value)})))
        assert "limits" in refused(chip.start)
    refused(Max30205(Bus(I2cBus({}))).start)
    bench, chip = second()
    bench.max30205._configure = lambda value: None
    assert "did not take" in refused(chip.start)


def check_second_thermometer_lost_set_up_is_an_error() -> None:
    for value in (0x00, 0xFF):
        bench, chip = second()
        chip.start()
        bench.i2c.devices[max30205.ADDRESS] = ConstantChip(value)
        assert "set-up lost" in refused(chip.read_cc)
    bench, chip = second()
    chip.start()
    bench.max30205._power_on()
    assert "set-up lost" in refused(chip.read_cc)


def check_a_coarse_part_with_the_same_registers_is_found_out() -> None:
    bench, chip = second()
    chip.start()
    answers = []
    for _ in range(40):
        bench.pass_ms(1000)
        bench.max30205.live()
        bench.max30205.regs[0] &= 0xFF80  # 0.5 °C, as in an LM75
        try:
            answers.append(chip.read_cc())
        except OSError as error:
            assert "not a MAX30205" in str(error)
            break
    assert len(answers) == 30, len(answers)
    chip.start()
    chip.read_cc()
    bench.pass_ms(1000)
    bench.max30205.live()
    bench.max30205.regs[0] &= 0xFF80
    assert "not a MAX30205" in refused(chip.read_cc)  # a restart does not make it another part


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
    assert type(drivers.thermometer(Bus(Bench().i2c))) is Tmp117
    bench, _ = second()
    assert type(drivers.thermometer(Bus(bench.i2c))) is Max30205
    assert type(drivers.thermometer(Bus(DeafAt(bench.i2c, 0x0F)))) is Max30205
    for value in (0x00, 0xFF):
        bus = Bus(I2cBus({tmp117.ADDRESS: ConstantChip(value)}))
        said = refused(lambda bus=bus: drivers.thermometer(bus))
        assert "not a TMP117: part id" in said and "not a MAX30205: limits" in said
    refused(lambda: drivers.thermometer(Bus(I2cBus({}))))
