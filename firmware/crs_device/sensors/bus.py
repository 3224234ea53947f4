"""One I2C bus: register access that retries, and counts retries and failures.

Every method raises OSError, and only OSError, when the chip did not answer after the last try. A transfer moves a
few hundred bytes at most and the board's driver bounds it in time, so nothing here waits.
"""

from crs_core.compat import const
from crs_device.health import I2C_FAIL, I2C_RETRY

RETRIES = const(2)


class Bus:
    """`Bus(i2c, health=None)`: `i2c` is a machine.I2C, `health` has `count(id)`.

    `retries` and `failures` count since construction, over all chips; `health` gets the same counts when given.
    """

    def __init__(self, i2c, health=None) -> None:  # type: ignore[no-untyped-def]
        self._i2c = i2c
        self._health = health
        self.retries = 0
        self.failures = 0
        self._one = bytearray(1)
        self._two = bytearray(2)

    def read_into(self, address: int, register: int, buffer, retries: int = RETRIES) -> None:  # type: ignore[no-untyped-def]
        """Fill `buffer` from `register` on; `retries=0` for a read that changes the chip (a FIFO). No allocation."""
        while True:
            try:
                self._i2c.readfrom_mem_into(address, register, buffer)
                return
            except OSError:
                self._note(retries)
                if retries <= 0:
                    raise
                retries -= 1

    def write(self, address: int, register: int, data, retries: int = RETRIES) -> None:  # type: ignore[no-untyped-def]
        """Write the bytes of `data` from `register` on."""
        while True:
            try:
                self._i2c.writeto_mem(address, register, data)
                return
            except OSError:
                self._note(retries)
                if retries <= 0:
                    raise
                retries -= 1

    def read_u8(self, address: int, register: int) -> int:
        """Read a register of one byte."""
        self.read_into(address, register, self._one)
        return self._one[0]

    def write_u8(self, address: int, register: int, value: int) -> None:
        """Write a register of one byte."""
        self._one[0] = value
        self.write(address, register, self._one)

    def read_u16(self, address: int, register: int) -> int:
        """Read a register of two bytes, high byte first."""
        self.read_into(address, register, self._two)
        return self._two[0] << 8 | self._two[1]

    def write_u16(self, address: int, register: int, value: int) -> None:
        """Write a register of two bytes, high byte first."""
        self._two[0] = value >> 8
        self._two[1] = value & 0xFF
        self.write(address, register, self._two)

    def _note(self, retries_left: int) -> None:
        if retries_left > 0:
            self.retries += 1
            counter = I2C_RETRY
        else:
            self.failures += 1
            counter = I2C_FAIL
        if self._health is not None:
            self._health.count(counter)
