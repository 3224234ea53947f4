"""A failed test shows the logs of its wearable and agent, and what the wearable's flash holds."""

from tools.rig.pytest_evidence import pytest_runtest_makereport, pytest_runtest_setup  # noqa: F401
