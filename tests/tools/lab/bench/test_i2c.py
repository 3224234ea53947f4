"""The bus budget of the optical sensor, counted on the bus model: exact, so a test and not only a bench."""

from tools.lab.bench.i2c import BYTES_MAX, TRANSFERS_MAX, i2c_per_sample


def test_the_optical_sensor_keeps_its_share_of_the_bus() -> None:
    size, transfers = i2c_per_sample(minutes=12)  # with a change of light in it
    assert 6 < size <= BYTES_MAX
    assert 0.1 < transfers <= TRANSFERS_MAX
