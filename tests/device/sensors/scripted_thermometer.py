"""A thermometer that reads what a list says; runs on both runtimes."""

from crs_device.sensors.thermometer import Thermometer


class ScriptedThermometer:
    """Gives the next value of a list at each reading; an OSError in the list is raised."""

    def __init__(self, values) -> None:
        self._values = list(values)
        self.code = 0
        self.starts = 0

    def start(self) -> None:
        """Count it."""
        self.starts += 1

    def read_cc(self):
        """The next; codes differ with the value and, so as not to be flat, with time."""
        value = self._values.pop(0)
        if isinstance(value, OSError):
            raise value
        if value is not None:
            self.code = value * 2 + len(self._values) % 2
        return value


def play(values):
    """States of a thermometer that sees one value a second."""
    thermometer = Thermometer(ScriptedThermometer(values))
    states = []
    for second in range(len(values)):
        thermometer.poll(second * 1000)
        states.append(thermometer.state(second * 1000))
    return thermometer, states
