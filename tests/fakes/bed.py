"""A wearer whose grader is told things and steps on readings, each at its time."""

from crs_core import codes, units
from crs_core.grade import bedside, grader
from crs_core.grade import grader_state as st
from crs_core.grade.assessment import Assessment
from crs_core.grade.rules import DEFAULT
from crs_core.units import Reading, make_status


class Bed:
    """One wearer: `tell` enters, `read` steps the grader; both at a time in ms."""

    def __init__(self, *life: tuple) -> None:
        """`life`: (ms, {entries}) is told; (ms, 0.01 °C or None, what is said) is read, as `said` has it."""
        self.state = grader.new_state()
        for at_ms, what, *expected in life:
            if isinstance(what, dict):
                self.tell(at_ms, **what)
            else:
                assert said(self.read(at_ms, what)) == expected[0], at_ms

    def tell(self, at_ms: int, **values: object) -> "Bed":
        self.state = bedside.enter(self.state, values, at_ms, DEFAULT)
        return self

    def read(
        self, at_ms: int, temp_cc: int | None = 3700, *, spo2: int | None = 970, site: int = units.SITE_AXILLA
    ) -> Assessment:
        status = make_status(
            site,
            units.TEMP_ABSENT if temp_cc is None else units.TEMP_VALID,
            units.PPG_ABSENT if spo2 is None else units.PPG_VALID,
            units.WEAR_WORN,
        )
        before = list(self.state)
        given = self.state
        self.state, told = grader.step(given, Reading(at_ms, temp_cc, spo2, 80, 150, status), at_ms, DEFAULT)
        assert given == before, "a step does not touch the state that it was given"
        return told

    def told_keys(self) -> list[str]:
        return [entry[0] for entry in self.state[st.TOLD]]

    def slots(self, *names: str) -> tuple:
        """Slots of the state by their names."""
        return tuple(self.state[getattr(st, name)] for name in names)


def interval(told: Assessment) -> tuple:
    return told.lower, told.upper


def said(told: Assessment) -> str:
    """`met 1-4`, `unknown None-None`."""
    return f"{codes.FEVER_NAMES[told.fever]} {told.lower}-{told.upper}"
