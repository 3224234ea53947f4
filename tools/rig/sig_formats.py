"""The characteristics and formats of the Bluetooth SIG that a wearable serves, read by the standard's words alone."""

import struct

_SIG = "0000{:04x}-0000-1000-8000-00805f9b34fb"
TEMPERATURE, TEMPERATURE_TYPE = _SIG.format(0x2A1C), _SIG.format(0x2A1D)
OXIMETER, FEATURES, LEVEL, TIME = (_SIG.format(n) for n in (0x2A5F, 0x2A60, 0x2A19, 0x2A2B))
MAKER, MODEL, SERIAL, REVISION = (_SIG.format(n) for n in (0x2A29, 0x2A24, 0x2A25, 0x2A26))
HEALTH = {_SIG.format(n) for n in (0x1809, 0x1822, 0x180F, 0x1805)}  # services


def read_float(data: bytes) -> float:
    """IEEE 11073-20601 FLOAT: a signed 8-bit exponent of ten over a signed 24-bit mantissa."""
    mantissa = int.from_bytes(data[:3], "little", signed=True)
    return float(mantissa * 10.0 ** struct.unpack("<b", data[3:4])[0])


def read_sfloat(data: bytes) -> float:
    """IEEE 11073-20601 SFLOAT: a signed 4-bit exponent over a signed 12-bit mantissa."""
    (word,) = struct.unpack("<H", data)
    mantissa, exponent = word & 0xFFF, word >> 12
    signed = mantissa - 0x1000 if mantissa & 0x800 else mantissa
    return float(signed * 10.0 ** (exponent - 16 if exponent & 8 else exponent))


def _measurement_status(data: bytes) -> int:
    return int(struct.unpack_from("<H", data, 5)[0])


def is_measured(oximetry: bytes) -> bool:
    """Whether a PLX Continuous Measurement holds values: bit 13 is "measurement unavailable"."""
    return not _measurement_status(oximetry) & 1 << 13


class Thermometer:
    """A Temperature Measurement of the Health Thermometer service; `kind` is its Temperature Type."""

    def __init__(self, data: bytes) -> None:
        self.is_celsius = not data[0] & 1
        self.temp_c = read_float(data[1:5])
        self.kind = data[-1]


class Oximeter:
    """A PLX Continuous Measurement of the Pulse Oximeter service."""

    def __init__(self, data: bytes) -> None:
        self.spo2_pct, self.pulse_bpm = read_sfloat(data[1:3]), read_sfloat(data[3:5])
        self.is_validated = bool(_measurement_status(data) & 1 << 7)
        self.is_demonstration = bool(_measurement_status(data) & 1 << 10)
