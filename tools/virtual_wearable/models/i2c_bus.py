"""The I2C bus of the wearable with the faults a bus has; the same calls as `machine.I2C`.

Used as it is for driver tests without a supervisor, and behind the virtual board's `machine.I2C`.
"""

EIO = 5  # address not acknowledged, as rp2 reports it
ETIMEDOUT = 110  # a slave holds the clock


class I2cBus:
    """Devices by address. `faults[address]` = [transactions left to refuse or -1 for ever, errno].

    `broken[address]` = [reads left to break off, bytes that still get through]: a NACK in the middle of a burst.
    """

    def __init__(self, devices: dict) -> None:
        self.devices = devices
        self.faults: dict = {}
        self.broken: dict = {}
        self.transactions = 0
        self.bytes = 0  # of data, both ways; neither address nor register number
        self.refused = 0

    def fail(self, address: int, times: int = -1, errno: int = EIO) -> None:
        """Refuse the next `times` transactions with `address`; -1 = until `heal`."""
        self.faults[address] = [times, errno]

    def break_off(self, address: int, after_bytes: int, times: int = 1) -> None:
        """End the next `times` reads of more than `after_bytes` bytes with an error once that many were taken."""
        self.broken[address] = [times, after_bytes]

    def heal(self, address: int) -> None:
        """End the faults of `address`."""
        self.faults.pop(address, None)
        self.broken.pop(address, None)

    def _read(self, address: int, device, count: int) -> bytes:
        broken = self.broken.get(address)
        if broken and broken[0] and count > broken[1]:
            broken[0] -= 1
            self.refused += 1
            device.read(broken[1])
            raise OSError(EIO)
        self.bytes += count
        return device.read(count)

    def _device(self, address: int):
        self.transactions += 1
        fault = self.faults.get(address)
        if fault and fault[0]:
            fault[0] -= 1 if fault[0] > 0 else 0
            self.refused += 1
            raise OSError(fault[1])
        device = self.devices.get(address)
        if device is None:
            raise OSError(EIO)
        return device

    def scan(self) -> list:
        """Return the addresses that acknowledge, in order."""
        found = []
        for address in sorted(self.devices):
            fault = self.faults.get(address)
            if not (fault and fault[0]):
                found.append(address)
        return found

    def writeto(self, address: int, data, stop: bool = True) -> int:
        """Write `data` and return how many bytes were acknowledged."""
        self._device(address).write(bytes(data))
        self.bytes += len(data)
        return len(data)

    def readfrom(self, address: int, count: int, stop: bool = True) -> bytes:
        """Return `count` bytes."""
        return self._read(address, self._device(address), count)

    def readfrom_into(self, address: int, buf, stop: bool = True) -> None:
        """Fill `buf`."""
        buf[:] = self._read(address, self._device(address), len(buf))

    def readfrom_mem(self, address: int, register: int, count: int) -> bytes:
        """Return `count` bytes from `register` on, one transaction with a repeated start."""
        device = self._device(address)
        device.write(bytes([register]))
        return self._read(address, device, count)

    def readfrom_mem_into(self, address: int, register: int, buf) -> None:
        """Fill `buf` from `register` on."""
        buf[:] = self.readfrom_mem(address, register, len(buf))

    def writeto_mem(self, address: int, register: int, data) -> None:
        """Write `data` from `register` on."""
        self._device(address).write(bytes([register]) + bytes(data))
        self.bytes += len(data)
