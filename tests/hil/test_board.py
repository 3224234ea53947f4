"""The same checks against a real board: `pytest tests/hil --hil-port PORT`. It is flashed, and not provisioned."""

import pytest

from tools.board import selftest
from tools.board.flash import flash

pytestmark = pytest.mark.hil


def test_flashing_twice_sends_nothing_the_second_time(hil_port: str) -> None:
    flash(hil_port, restart=False)
    assert flash(hil_port, restart=False).sent == 0


def test_no_part_fails_its_self_test(hil_port: str) -> None:
    flash(hil_port)
    report = selftest.run(hil_port)
    without_identity = [part for part in report.parts if part.name != "identity"]
    assert not [part for part in without_identity if part.passed is False]
