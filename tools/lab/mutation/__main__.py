"""Count the faults in the grader that the tests notice: `make mutation`, `python -m tools.lab.mutation [MODULE ...]`.

mutmut makes the faults (mutants): for every function of crs_core/grade one changed copy for each operator, number,
word, argument and branch. They are written with the tests to build/mutation. For each fault trial.py then runs the
tests that reach its function, until one fails. The counts of each module are printed, then the figure; `--show` adds
the faults that no test noticed.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

from tools.lab.mutation.tally import print_survivors, print_table

ROOT = Path(__file__).resolve().parents[3]
WORK = ROOT / "build" / "mutation"
GRADE = Path("crs_core/grade")
TESTS = ("tests/core/grade", "tests/property/test_grade_steps.py", "tests/property/test_scale_interval.py")
DATA_ONLY = ("rules_table.py",)
PROJECT = """\
[tool.pytest.ini_options]
pythonpath = ["."]
addopts = "--import-mode=importlib"
[tool.mutmut]
source_paths = ["crs_core"]
"""
OFF = ("-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:timeout", "-W", "ignore")


def lay_out() -> dict[str, list[str]]:
    """Write the changed sources and the tests to build/mutation; returns {module: names of its mutants}."""
    from mutmut.mutation.file_mutation import mutate_file_contents

    for name in ("crs_core", "tests"):
        shutil.rmtree(WORK / name, ignore_errors=True)
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "pyproject.toml").write_text(PROJECT)
    if not (WORK / "firmware").exists():
        (WORK / "firmware").symlink_to(ROOT / "firmware")  # some tests read the original sources
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "firmware/crs_core", WORK / "crs_core", ignore=skip)
    shutil.copytree(ROOT / "tests", WORK / "tests", ignore=skip)
    mutants = {}
    for path in sorted((WORK / GRADE).rglob("*.py")):
        if path.name in DATA_ONLY:
            continue
        module = ".".join(path.relative_to(WORK).with_suffix("").parts)
        with contextlib.chdir(WORK):  # where mutmut looks for its configuration
            mutated = mutate_file_contents(str(path), path.read_text())
        if mutated.mutant_names:
            trampoline = "from mutmut.mutation.trampoline"
            path.write_text(mutated.code.replace(trampoline, "from tools.lab.mutation.lever"))
            mutants[module] = list(mutated.mutant_names)
    return mutants


def main() -> int:
    """Exit 0 when the tests notice enough, 1 when they do not or could not run, 2 when an option is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.lab.mutation", description=__doc__)
    modules = "modules of crs_core/grade, such as alarms or scales.shared_facts; default: all"
    parser.add_argument("modules", nargs="*", help=modules)
    parser.add_argument(
        "--survivors", action="store_true", help="try only mutants that survived the last run"
    )
    parser.add_argument("--learnt", action="store_true", help="reuse the map from tests to functions")
    parser.add_argument("--show", action="store_true", help="print each surviving mutant as a diff")
    parser.add_argument("--every", type=int, default=1, help="try only every Nth mutant, for an estimate")
    parser.add_argument("--budget-s", type=float, default=3.0, help="seconds of tests for each mutant")
    parser.add_argument("--minutes", type=float, default=600, help="stop after so many minutes")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    given = parser.parse_args()
    try:
        mutants = lay_out()
    except ModuleNotFoundError:
        print("mutation: mutmut is not installed. Run `make mutation`, which installs it.", file=sys.stderr)
        return 2
    prefix = ".".join(GRADE.parts)
    wanted = {f"{prefix}.{name}" for name in given.modules}
    if wanted - set(mutants):
        print(f"mutation: no such module: {', '.join(sorted(wanted - set(mutants)))}", file=sys.stderr)
        return 2
    results_path = WORK / "results.json"
    results = json.loads(results_path.read_text()) if results_path.exists() else {}
    asked = [
        f"{module}.{name}"
        for module, names in mutants.items()
        if not wanted or module in wanted
        for name in names
        if not given.survivors
        or results.get(f"{module}.{name}", {"status": ""})["status"] in ("survived", "no tests")
    ]
    # In the order of their hashes, so that a run that stops early is a fair sample.
    asked.sort(key=lambda name: sha256(name.encode()).digest())
    asked = asked[:: given.every]
    task = {"mutants": asked, "budget_s": given.budget_s, "learnt": given.learnt}
    task |= {"workers": given.workers, "minutes": given.minutes}
    (WORK / "asked.json").write_text(json.dumps(task))
    for name in ("tried.json", "so_far.json"):
        (WORK / name).unlink(missing_ok=True)
    begun_s = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "-p", "tools.lab.mutation.trial", *OFF, *TESTS],
        cwd=WORK,
        env={**os.environ, "PYTHONPATH": f"{WORK}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    if not (WORK / "tried.json").exists():
        return 1
    tried = json.loads((WORK / "tried.json").read_text())
    results.update(tried)
    known = {f"{module}.{name}" for module, names in mutants.items() for name in names}
    still = {name: result for name, result in results.items() if name in known}
    results_path.write_text(json.dumps(still, indent=1, sort_keys=True))
    if given.show:
        print_survivors(tried)
    took_s = time.monotonic() - begun_s
    print(f"mutation: {len(tried)} of {len(known)} tried in {took_s:.0f} s", file=sys.stderr)
    return 0 if print_table(results if given.survivors else tried, known) else 1


if __name__ == "__main__":
    sys.exit(main())
