"""A pytest plugin that runs, for each requested mutant, the tests that reach its function.

The tests are collected once. Each mutant runs in a fork of that process, so mutants cannot affect each other, and a
fork takes milliseconds where a new pytest takes seconds. A mutant is noticed by the first test that fails or takes ten
times its usual time. That test runs first on the next mutant of the same function.
"""

import difflib
import importlib
import inspect
import json
import os
import resource
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tools.lab.mutation import lever

EXAMPLES = 25  # of a property test: enough to reach its branches
MEMORY_BYTES = 3 << 30
# Memoized results of modules. They are cleared before each test; otherwise a later test would not reach the functions.
MEMOS = (("astct", "_memo"), ("bedside", "_memo"), ("grader", "_intervals"), ("scale", "_known"))
ELSEWHERE = {"run_micropython", "run_script"}
SLOW_S = 2.0  # slower tests are left out, because every surviving mutant would wait for them

_report: list[
    int
] = []  # in a process that ends at its first failure: the file descriptor for that test's name


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that run the original code on MicroPython; give property tests few and fixed examples."""
    kept = []
    for item in items:
        function = item.function  # type: ignore[attr-defined]
        inner = getattr(getattr(function, "hypothesis", None), "inner_test", function)
        if ELSEWHERE & set(inner.__code__.co_names) or "heap" in item.name:
            continue
        found = getattr(function, "_hypothesis_internal_use_settings", None)
        if found is not None:
            function._hypothesis_internal_use_settings = hypothesis.settings(
                found, max_examples=min(EXAMPLES, found.max_examples), derandomize=True, database=None, deadline=None,
                phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
                suppress_health_check=list(hypothesis.HealthCheck),
            )  # fmt: skip
        kept.append(item)
    items[:] = kept


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Clear the memoized results of earlier tests."""
    for module, name in MEMOS:
        getattr(sys.modules[f"crs_core.grade.{module}"], name).clear()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """End a mutant's process at its first failure, before pytest spends most of the time on describing it."""
    failed = call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception)
    if _report and failed:
        os.write(_report[0], item.nodeid.encode())
        os._exit(1)


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Learn which test reaches which function, then try every requested mutant."""
    asked = json.loads(Path("asked.json").read_text())
    collected = {item.nodeid for item in session.items}
    learnt = Path("reached.json")
    reached = json.loads(learnt.read_text()) if asked["learnt"] and learnt.exists() else _learn(session)
    reached = {test: told for test, told in reached.items() if test in collected}
    tests = {item.nodeid: item for item in session.items}
    tried = _try_all(asked, tests, reached)
    Path("tried.json").write_text(json.dumps(tried))
    return True


def _silence() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)


def _learn(session: pytest.Session) -> dict[str, Any]:
    """{test: {s, functions}} from one run of every test in its own process; a failing test ends the whole run."""
    path = Path("reached.json")
    before = json.loads(path.read_text()) if path.exists() else {}
    path.unlink(missing_ok=True)
    pid = os.fork()
    if pid == 0:
        log = os.open("learning.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        _report.append(log)
        reached = {}
        for item in session.items:
            if before.get(item.nodeid, {"s": 0})["s"] > SLOW_S:
                reached[item.nodeid] = before[item.nodeid]
                continue
            lever.reached.clear()
            begun_s = time.process_time()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            reached[item.nodeid] = {"s": time.process_time() - begun_s, "functions": sorted(lever.reached)}
        path.write_text(json.dumps(reached))
        os._exit(0)
    os.waitpid(pid, 0)
    if not path.exists():
        log_path = Path("learning.txt").resolve()
        pytest.exit(f"the tests fail without any mutant. See {log_path}.", returncode=3)
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def _try_all(asked: dict[str, Any], tests: dict[str, pytest.Item], reached: dict[str, Any]) -> dict[str, Any]:
    mutants = asked["mutants"]
    by_function: dict[str, list[str]] = {}
    for test, told in reached.items():
        if told["s"] > SLOW_S:
            continue
        for function in told["functions"]:
            by_function.setdefault(function, []).append(test)
    # A test that reaches few functions is most likely about them, so it runs early.
    cost = {test: told["s"] * len(told["functions"]) for test, told in reached.items()}
    _unwrap({name.rpartition(".")[0] for name in mutants})
    kills: dict[str, Counter[str]] = {}
    running: dict[int, tuple[str, int]] = {}
    tried: dict[str, Any] = {}
    waiting = list(reversed(mutants))
    end_s = time.monotonic() + 60 * asked["minutes"]
    while waiting or running:
        if time.monotonic() > end_s:
            waiting.clear()
        while waiting and len(running) < asked["workers"]:
            name = waiting.pop()
            function = name.partition("__mutmut_")[0]
            best = kills.setdefault(function, Counter())
            chosen = sorted(by_function.get(function, ()), key=lambda test: (-best[test], cost[test]))
            if not chosen:
                tried[name] = {"status": "no tests", "diff": _diff(name)}
                continue
            chosen = _within(chosen, reached, asked["budget_s"])
            read_fd, write_fd = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(read_fd)
                _be(name, [tests[test] for test in chosen], reached, write_fd)
            os.close(write_fd)
            running[pid] = (name, read_fd)
        if not running:
            break
        pid, status = os.wait()
        name, read_fd = running.pop(pid)
        with os.fdopen(read_fd, "rb") as pipe:
            killer = pipe.read().decode()
        verdict = "timeout" if os.WIFSIGNALED(status) else "killed" if os.WEXITSTATUS(status) else "survived"
        if killer:
            kills[name.partition("__mutmut_")[0]][killer] += 1
        detail = {"diff": _diff(name)} if verdict == "survived" else {"by": killer}
        tried[name] = {"status": verdict, **detail}
        if len(tried) % 50 == 0:
            missed = sum(result["status"] in ("survived", "no tests") for result in tried.values())
            Path("so_far.json").write_text(json.dumps(tried))
            progress = f"mutation: {len(tried)} of {len(mutants)} tried, {missed} not noticed"
            print(progress, file=sys.stderr, flush=True)
    return tried


def _within(tests: list[str], reached: dict[str, Any], budget_s: float) -> list[str]:
    """The first of `tests` that together take no longer than the budget, but at least one."""
    spent_s = 0.0
    for i, test in enumerate(tests):
        spent_s += reached[test]["s"]
        if i and spent_s > budget_s:
            return tests[:i]
    return tests


def _unwrap(modules: set[str]) -> None:
    """Let the functions call each other directly, because a stand-in costs more time than they do."""
    for name in modules:
        module = importlib.import_module(name)
        for found in list(vars(module)):
            if found.endswith("__mutmut_orig"):
                name_here = found.removeprefix("x_").removesuffix("__mutmut_orig")
                setattr(module, name_here, getattr(module, found))


def _be(mutant: str, items: list[pytest.Item], reached: dict[str, Any], write_fd: int) -> None:
    """Run the tests as this mutant and exit: 1 when one fails, 0 when none does, by a signal when one is too slow."""
    _silence()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    function = mutant.partition("__mutmut_")[0]
    changed = _named(mutant)
    if "ǁ" not in function:
        setattr(sys.modules[changed.__module__], function.rpartition(".x_")[2], changed)
    lever.in_force[function][0] = changed  # for methods, and for modules that imported the stand-in
    _report.append(write_fd)
    for item in items:
        signal.setitimer(signal.ITIMER_VIRTUAL, 2.0 + 10 * reached[item.nodeid]["s"])
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    os._exit(0)


def _diff(mutant: str) -> str:
    before = inspect.getsource(_named(mutant.partition("__mutmut_")[0] + "__mutmut_orig"))
    after = inspect.getsource(_named(mutant))
    return "\n".join(
        line
        for line in difflib.unified_diff(before.splitlines()[1:], after.splitlines()[1:], lineterm="", n=0)
        if not line.startswith(("---", "+++"))
    )


def _named(mutant: str) -> Any:
    """The function with a name of mutmut: module.x_FUNCTION__mutmut_N, or module.xǁCLASSǁMETHOD__mutmut_N."""
    module_name, _, name = mutant.rpartition(".")
    owner = getattr(sys.modules[module_name], name.split("ǁ")[1]) if "ǁ" in name else sys.modules[module_name]
    return getattr(owner, name)
