"""The sensor chips that this firmware drives, and which of them is on the board.

A new sensor is its driver file and its name in one of the two lists below. The driver's module ends with
`DRIVER = ItsClass`; what the class must offer stands in `THERMOMETER_NEEDS` or `OPTICAL_NEEDS`, and README.md says
what each part of it means. Code of a chip that is not on the board does not stay in the heap, and neither does this
module, which unloads itself.
"""

import sys

from crs_core.codes import FAULT_MISSING, SUBSYSTEM_PPG, SUBSYSTEM_TEMP
from crs_device.heap import unload_modules

# They are asked in this order; the first chip that knows itself is taken.
THERMOMETERS = ("tmp117", "max30205")
OPTICAL = ("max3010x",)

# One string each: a short string of its own would stay in the heap when this module is unloaded.
THERMOMETER_NEEDS = "identify start read_cc code"
OPTICAL_NEEDS = (
    "identify start set_light drain sleep wake "
    "fifo_depth ambient_overflow overflow overflow_is_floor bus_lost"
)


def thermometer(bus, offset_cc: int = 0):  # type: ignore[no-untyped-def]
    """The driver of the thermometer on `bus`, not started yet, corrected by `offset_cc` of its calibration.

    OSError says what each driver found instead.
    """
    chip = _find(THERMOMETERS, THERMOMETER_NEEDS, "thermometer", bus)
    if not offset_cc:
        return chip
    # loaded only on a wearable that has an offset, to save heap
    from crs_device.sensors.corrected import Corrected

    return Corrected(chip, offset_cc)


def optical(bus, is_swapped: bool = False):  # type: ignore[no-untyped-def]
    """The driver of the optical sensor on `bus`, not started yet; `is_swapped`: its first LED is the infrared one.

    OSError says what each driver found instead.
    """
    return _find(OPTICAL, OPTICAL_NEEDS, "PPG sensor", bus, is_swapped)


def report_incomplete(health) -> None:  # type: ignore[no-untyped-def]
    """Load every driver once, at the start, and journal as a fault which of them cannot be used, and what they lack."""
    for subsystem, names, needs in (
        (SUBSYSTEM_TEMP, THERMOMETERS, THERMOMETER_NEEDS),
        (SUBSYSTEM_PPG, OPTICAL, OPTICAL_NEEDS),
    ):
        faults = []
        for name in names:
            is_loaded = _module(name) in sys.modules
            try:
                _make(name, needs, (None,))
            except ImportError as error:
                faults.append(error.args[0])
            if not is_loaded:
                unload_modules(_module(name))
        if faults:
            health.fault(subsystem, FAULT_MISSING, "; ".join(faults))
    unload_modules("crs_device.sensors.drivers")


def _find(names, needs, kind: str, *arguments):  # type: ignore[no-untyped-def]
    unload_modules("crs_device.sensors.drivers")  # what runs here stays until it returns
    found = []
    for name in names:
        is_loaded = _module(name) in sys.modules
        try:
            chip = _make(name, needs, arguments)
            chip.identify()
            return chip
        except (OSError, ImportError) as error:
            detail = error.args[0] if error.args else ""
            found.append(detail if isinstance(detail, str) else "%s: no answer (error %s)" % (name, detail))
        if not is_loaded:
            unload_modules(_module(name))
    raise OSError("%s: %s" % (kind, "; ".join(found)))


def _module(name: str) -> str:
    return "crs_device.sensors." + name


def _make(name: str, needs, arguments):  # type: ignore[no-untyped-def]
    """An object of the driver in the file `name`; ImportError names the driver and what it lacks."""
    try:
        module = __import__(_module(name), None, None, ("DRIVER",))
        chip = module.DRIVER(*arguments) if hasattr(module, "DRIVER") else None
    except Exception as error:  # whatever is wrong with one driver must not cost the other sensor
        raise ImportError("driver %s: %s" % (name, error))
    missing = ["DRIVER"] if chip is None else [need for need in needs.split() if not hasattr(chip, need)]
    if missing:
        raise ImportError("driver %s lacks %s" % (name, ", ".join(missing)))
    return chip
