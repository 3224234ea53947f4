"""Losses and duplicates over ten thousand power cuts of the journal, on real MicroPython under real LittleFS.

Each life ends with a power cut at a random flash operation that wrote none, some or all of its bytes. The journal then
recovers and is checked in full; one recovery in four is cut, too. `journal_random_cuts.py` says what is checked. A
process repeats its cuts from its seed (CW_SEED plus its number). Not measured: damaged flash, and an interrupted erase
of a real chip whose bits read differently each time.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.lab.bench.measuring import Row
from tools.rig.micropython import run_micropython

PROCESSES = 10
LIVES = 825  # of each process; with the second cuts of a quarter of them 10 300 cuts in all
LEAST_CUTS = 10_000
SCRIPT = Path(__file__).parents[3] / "tools/rig/on_micropython/journal_random_cuts.py"


def one_process(seed: int, lives: int = LIVES) -> Counter[str]:
    """Figures of one seed by name; failed checks go to stderr. RuntimeError when the script itself failed."""
    done = run_micropython(SCRIPT, str(seed), str(lives), heap="16M", timeout_s=1200, as_it_is=True)
    *broken, last = done.stdout.splitlines() or [""]
    for line in broken:
        print(line, file=sys.stderr)
    words = last.split()
    if done.returncode or words[:1] != ["cuts"]:
        raise RuntimeError(f"seed {seed}: {last} {done.stderr}")
    return Counter({name: int(value) for name, value in zip(words[::2], words[1::2], strict=True)})


def rows() -> Iterable[Row]:
    """The row of losses and duplicates, and one with the kinds of cuts."""
    first = int(os.environ.get("CW_SEED", "1"))
    total: Counter[str] = Counter()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for figures in pool.map(one_process, range(first, first + PROCESSES)):
            total.update(figures)
    cuts = total["cuts"] + total["second"]
    clean = not (total["losses"] or total["duplicates"])
    figure = f"{total['losses']} / {total['duplicates']}"
    yield f"cuts: losses / duplicates over {cuts} cuts", figure, "0 / 0", clean and cuts >= LEAST_CUTS
    kinds = f"torn by no byte {total['none']}, some {total['some']}, all {total['all']}"
    yield "cuts: lives, and those cut again in recovery", f"{total['cuts']}, {total['second']}", kinds, None
