"""A bedside with the plan of `called_world`."""

import pytest

from tests.host.escalation.contact.called_world import PLAN, TARGETS
from tools.rig.called_bedside import CalledBedside


@pytest.fixture
def bed(tmp_path):
    made = CalledBedside(tmp_path, PLAN, TARGETS)
    yield made
    made.stop()
