"""Health counters: the ids in the firmware, the table for hosts, and the faults that wait for the journal."""

from crs_core import counters
from crs_core.journal import record_layout, record_writer
from crs_device import health
from crs_device.health import Health


def ids_in_firmware() -> dict[str, int]:
    return {
        name: value
        for name, value in vars(health).items()
        if name.isupper() and isinstance(value, int) and name != "DETAIL_MAX" and not name.startswith("_")
    }


def test_every_counter_of_the_firmware_is_in_the_table_under_the_same_number() -> None:
    assert {name.lower(): number for name, number in ids_in_firmware().items()} == {
        name: number for number, name, _ in counters.TABLE
    }


def test_numbers_are_unique_one_byte_and_ordered() -> None:
    numbers = [number for number, _, _ in counters.TABLE]
    assert numbers == sorted(set(numbers)) and numbers[0] > 0 and numbers[-1] < 256


def test_an_unknown_counter_has_a_name_too() -> None:
    assert counters.counter_name(numbers := counters.TABLE[0][0]) == counters.TABLE[0][1] and numbers
    assert counters.counter_name(250) == "counter_250"


def test_counts_saturate_and_zero_is_left_out() -> None:
    one = Health()
    one.count(health.I2C_RETRY, 0xFFFFFFFE)
    one.count(health.I2C_RETRY, 5)
    one.set(health.I2C_FAIL, 0)
    assert one.pairs() == [(health.I2C_RETRY, 0xFFFFFFFF)]
    record_writer.write(record_layout.HEALTH, one.pairs())


def test_equal_faults_are_counted_and_taken_once() -> None:
    one = Health()
    one.fault(1, 2, "first")
    one.fault(1, 2, "second")
    one.fault(1, 3)
    assert one.take_faults() == [(1, 2, 2, "second"), (1, 3, 1, "")] and one.take_faults() == []


def test_a_fault_always_fits_its_record() -> None:
    one = Health()
    one.fault(1, 2, "°" * 100)
    (subsystem, code, count, detail), *_ = one.take_faults()
    record_writer.write(record_layout.FAULT, subsystem, code, count, detail)


def test_faults_are_bounded() -> None:
    one = Health()
    for code in range(100):
        one.fault(1, code)
    assert len(one.take_faults()) <= 16
