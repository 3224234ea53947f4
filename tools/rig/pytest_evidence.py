"""Attach logs and journals to a failed test. A conftest.py imports the two hooks:

from tools.rig.pytest_evidence import pytest_runtest_makereport, pytest_runtest_setup  # noqa: F401
"""

from collections.abc import Generator
from typing import Any

import pytest

from tools.rig import evidence
from tools.rig.waiting import conductor


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """What an earlier test started says nothing about this one."""
    evidence.forget()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Put the seed, the log of every process, and what each wearable's flash holds beside the traceback."""
    report = yield
    if report.failed:
        if owner := conductor():
            report.sections.append(("seed", f"SEED={owner.seed}: pytest '{item.nodeid}' --seed {owner.seed}"))
        report.sections.extend(evidence.sections())
    return report
