"""A test of lights and sounds never hides a real alarm."""

from types import SimpleNamespace

import pytest
from crs_core.codes import HYPOXAEMIA, PRIORITY_HIGH
from crs_device import selftest

LIGHT_BUZZER_VIBRATION = 7


class Wearable:
    """As much of the running application as the outputs' test touches; an alarm rises at step `rises_at`."""

    def __init__(self, rises_at: int) -> None:
        self.now_ms = 0
        self.done: list[str] = []
        self.steps = 0
        self.rises_at = rises_at
        self.active: list[tuple[int, int]] = []
        self.clock = SimpleNamespace(real_ms=lambda: self.now_ms, ms=lambda: self.now_ms)
        self.board = SimpleNamespace(
            led=SimpleNamespace(rgb=lambda *colour: self.done.append(f"light {colour}")),
            buzzer=SimpleNamespace(
                tone=lambda _hz: self.done.append("tone"), off=lambda: self.done.append("silence")
            ),
            vibration=SimpleNamespace(value=lambda level: self.done.append(f"vibration {level}")),
        )
        self.monitor = self
        self.output = SimpleNamespace(forget=lambda: self.done.append("forget"))

    def drain(self) -> None:
        """Nothing to drain."""

    def step(self, _now_ms: int) -> None:
        self.steps += 1
        if self.steps == self.rises_at:
            self.active = [(HYPOXAEMIA, PRIORITY_HIGH)]

    def show(self, _now_ms: int) -> None:
        self.done.append(f"show {self.active}")


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch):
    """Run the outputs' test on a wearable whose clock goes on as it sleeps."""

    def run(wearable: Wearable) -> dict:
        def sleep_ms(wait_ms: int) -> None:
            wearable.now_ms += wait_ms

        monkeypatch.setattr(selftest, "time", SimpleNamespace(sleep_ms=sleep_ms))
        return selftest._outputs(wearable, LIGHT_BUZZER_VIBRATION)

    return run


def test_every_output_is_driven_and_monitoring_goes_on(outputs) -> None:
    wearable = Wearable(rises_at=0)
    assert outputs(wearable)["done"] == "look and listen"
    assert {"light (1, 0, 0)", "light (0, 1, 0)", "light (0, 0, 1)", "tone", "vibration 1"} <= set(
        wearable.done
    )
    assert wearable.steps > 50


def test_an_alarm_that_rises_breaks_the_test_off_at_once_and_shows(outputs) -> None:
    wearable = Wearable(rises_at=3)
    assert outputs(wearable)["done"] == "broken off: an alarm rose"
    assert wearable.steps == 3 and wearable.now_ms < 100
    assert wearable.done[-2:] == ["forget", f"show {[(HYPOXAEMIA, PRIORITY_HIGH)]}"]
    assert "tone" not in wearable.done and "silence" in wearable.done


def test_an_open_alarm_refuses_the_test(outputs) -> None:
    wearable = Wearable(rises_at=0)
    wearable.active = [(HYPOXAEMIA, PRIORITY_HIGH)]
    assert outputs(wearable)["done"] == "not done: an alarm is active" and wearable.done == []
