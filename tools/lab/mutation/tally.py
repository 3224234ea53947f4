"""Counts and prints the results of a run."""

from collections import Counter
from typing import Any

TARGET_PERCENT = 95
NOTICED = ("killed", "timeout")


def print_table(results: dict[str, Any], known: set[str]) -> bool:
    """Print a line for each module and the figure over the `known` mutants with a result; True when it is reached."""
    modules: dict[str, Counter[str]] = {}
    for name in known & set(results):
        module = name.rpartition(".")[0].removeprefix("crs_core.grade.")
        modules.setdefault(module, Counter())[results[name]["status"]] += 1
    total: Counter[str] = Counter()
    for module, counted in sorted(modules.items()):
        total += counted
        noticed = sum(counted[status] for status in NOTICED)
        parts = ", ".join(f"{status} {number}" for status, number in sorted(counted.items()))
        print(f"mutation: {module}: {100 * noticed / counted.total():.1f} % of {counted.total()} ({parts})")
    noticed = sum(total[status] for status in NOTICED)
    percent = 100 * noticed / max(total.total(), 1)
    reached = percent >= TARGET_PERCENT
    sample = "" if total.total() == len(known) else f", a sample of all {len(known)}"
    print(
        f"row: mutation score of crs_core/grade | {percent:.1f} % ({noticed} of {total.total()}{sample}) "
        f"| target >= {TARGET_PERCENT} % | {'ok' if reached else 'short'}"
    )
    return reached


def print_survivors(results: dict[str, Any]) -> None:
    """Print each mutant that no test noticed, as a diff."""
    for name, result in sorted(results.items()):
        if result["status"] not in NOTICED:
            print(f"--- {name.removeprefix('crs_core.grade.')}: {result['status']}\n{result['diff']}")
