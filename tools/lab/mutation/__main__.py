"""How many faults in the grader the tests notice: `make mutation`, or `python -m tools.lab.mutation [MODULE ...]`.

mutmut makes the faults: of every function of crs_core/grade, one changed copy for each operator, number, word, argument
and branch. They are laid out with the tests in build/mutation; trial.py then runs, for each fault, the tests that reach
its function, until one fails. Prints how many each module has, then the figure; `--show` adds what no test noticed.
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
        (WORK / "firmware").symlink_to(ROOT / "firmware")  # some tests read the sources as they are
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
            path.write_text(
                mutated.code.replace("from mutmut.mutation.trampoline", "from tools.lab.mutation.lever")
            )
            mutants[module] = list(mutated.mutant_names)
    return mutants


def main() -> int:
    """Exit 0 when the tests notice enough, 1 when not or when they could not be run, 2 when asked wrongly."""
    parser = argparse.ArgumentParser(prog="python -m tools.lab.mutation", description=__doc__)
    parser.add_argument(
        "modules", nargs="*", help="of crs_core/grade, such as alarms or scales.shared_facts; default: all"
    )
    parser.add_argument("--survivors", action="store_true", help="only what the last run did not notice")
    parser.add_argument(
        "--learnt", action="store_true", help="reuse which test reaches what; no test has changed"
    )
    parser.add_argument("--show", action="store_true", help="print what no test noticed, as a diff")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th, for an estimate")
    parser.add_argument(
        "--budget-s", type=float, default=3.0, help="seconds of tests for a mutant, the shortest first"
    )
    parser.add_argument(
        "--minutes", type=float, default=600, help="stop trying after so many, for an estimate"
    )
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    given = parser.parse_args()
    try:
        mutants = lay_out()
    except ModuleNotFoundError:
        print("mutation: mutmut is not installed; `make mutation` installs it", file=sys.stderr)
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
    asked.sort(
        key=lambda name: sha256(name.encode()).digest()
    )  # so that a run that is cut short is a fair sample
    asked = asked[:: given.every]
    told = {"mutants": asked, "budget_s": given.budget_s, "learnt": given.learnt}
    told |= {"workers": given.workers, "minutes": given.minutes}
    (WORK / "asked.json").write_text(json.dumps(told))
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
    results_path.write_text(
        json.dumps({n: r for n, r in results.items() if n in known}, indent=1, sort_keys=True)
    )
    if given.show:
        print_survivors(tried)
    print(
        f"mutation: {len(tried)} of {len(known)} tried in {time.monotonic() - begun_s:.0f} s", file=sys.stderr
    )
    if given.survivors:
        return 0 if print_table(results, known) else 1
    return 0 if print_table(tried, known) else 1


if __name__ == "__main__":
    sys.exit(main())
