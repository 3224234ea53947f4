"""`python -m tools.lab.fuzz records|decoders [--cases N] [--seed N]`; exit code 1 when anything was found."""

import argparse
import secrets
import sys

from tools.lab.fuzz import decoders, records
from tools.rig.micropython import ROOT, run_micropython


def main() -> int:
    """Run one fuzz; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.lab.fuzz", description=__doc__)
    parser.add_argument("what", choices=("records", "decoders"))
    parser.add_argument("--cases", type=int, default=None, help="100000 records, or 1000000 for each runtime")
    parser.add_argument("--seed", type=int, default=None, help="repeats a run")
    asked = parser.parse_args()
    seed = secrets.randbelow(1 << 30) if asked.seed is None else asked.seed
    if asked.what == "records":
        return 1 if records.main(seed, asked.cases or 100_000) else 0
    cases = asked.cases or 1_000_000
    found = decoders.main(seed, cases)
    script = ROOT / "tools" / "lab" / "fuzz" / "decoders.py"
    done = run_micropython(script, str(seed), str(cases), heap="16M", timeout_s=36_000, as_it_is=True)
    print(done.stdout + done.stderr, end="")
    return 1 if found or done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
