"""Losses and duplicates over ten thousand power cuts of the journal, on real MicroPython under real LittleFS.

Each life is cut at a random flash operation, torn by none, some or all of its bytes, recovers and is checked in full;
one in four is cut again while it recovers. `journal_random_cuts.py` says what is checked, the seed
of a process (CW_SEED plus its number) repeats what it did. Not measured here: damage, and power that fails while an
erase of a real chip leaves bits that read differently each time.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.rig.micropython import run_micropython

PROCESSES = 10
LIVES = 825  # of each process; with the second cuts of a quarter of them 10 300 in all
LEAST = 10_000
SCRIPT = Path(__file__).parents[3] / "tools/rig/on_micropython/journal_random_cuts.py"

Row = tuple[str, str, str, bool | None]


def one_process(seed: int, lives: int = LIVES) -> Counter[str]:
    """Figures of one seed by name; promises that broke go to stderr. RuntimeError when the script itself failed."""
    done = run_micropython(SCRIPT, str(seed), str(lives), heap="16M", timeout_s=1200, as_it_is=True)
    *broken, last = done.stdout.splitlines() or [""]
    for line in broken:
        print(line, file=sys.stderr)
    words = last.split()
    if done.returncode or words[:1] != ["cuts"]:
        raise RuntimeError(f"seed {seed}: {last} {done.stderr}")
    return Counter({name: int(value) for name, value in zip(words[::2], words[1::2], strict=True)})


def rows() -> Iterable[Row]:
    """The row of losses and duplicates, and what kinds of cuts they were looked for in."""
    first = int(os.environ.get("CW_SEED", "1"))
    total: Counter[str] = Counter()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for figures in pool.map(one_process, range(first, first + PROCESSES)):
            total.update(figures)
    cuts = total["cuts"] + total["second"]
    clean = not (total["losses"] or total["duplicates"])
    yield (
        f"cuts: losses / duplicates over {cuts} cuts",
        f"{total['losses']} / {total['duplicates']}",
        "0 / 0",
        clean and cuts >= LEAST,
    )
    kinds = f"torn by no byte {total['none']}, some {total['some']}, all {total['all']}"
    yield "cuts: lives, and those cut again in recovery", f"{total['cuts']}, {total['second']}", kinds, None
