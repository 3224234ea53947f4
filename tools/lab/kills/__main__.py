"""kill -9 at every commit point of the outbox: `python -m tools.lab.kills [--every N] [--sabotage mark_first]`.

An alarm is raised, told, refused, told again, accepted and over, in a process that is killed before or after one of its
commits, and in another that goes on; some are killed a second time. Then every message must be with its receiver, with
the same bytes each time, and nothing else. Prints one JSON object; exit 1 when a promise was broken.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tools.lab.kills.life import RECEIVERS, Life

PROMISES = ("lost", "strange", "other bytes", "out of order")
_AT_ONCE = 8
Got = dict[str, list[tuple[str, str]]]  # receiver → (key, body) of each arrival, in order


class Point(NamedTuple):
    """Where a process is killed; `twice`: the one that goes on, too."""

    when: str
    at: int
    twice: bool


def live(folder: Path, at: int, when: str, sabotage: str) -> bool:
    """One process of a life; whether it came to the end of it. RuntimeError when it failed by itself."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            asyncio.run(Life(folder, at, when, sabotage).run())
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
        return True
    if not os.WIFSIGNALED(status):
        raise RuntimeError(f"a life failed by itself: killed at {at} {when}")
    return False


def got(folder: Path) -> Got:
    """What each receiver has."""
    files = {name: folder / f"{name}.got" for name in RECEIVERS}
    return {
        name: [tuple(json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []
        for name, file in files.items()
    }


def faults(found: Got, wanted: Got) -> Iterator[tuple[str, str]]:
    """(promise, what broke it)."""
    for name in RECEIVERS:
        keys, expected = [key for key, _ in found[name]], list(dict.fromkeys(key for key, _ in wanted[name]))
        yield from (("lost", f"{name} {key}") for key in expected if key not in keys)
        yield from (("strange", f"{name} {key}") for key in dict.fromkeys(keys) if key not in expected)
        bodies: dict[str, str] = {}
        for key, body in found[name]:
            if bodies.setdefault(key, body) != body:
                yield "other bytes", f"{name} {key}"
        first = [key for key in dict.fromkeys(keys) if key in expected]
        if first != [key for key in expected if key in first]:
            yield "out of order", f"{name} {first}"


def tried(home: Path, point: Point, wanted: Got, sabotage: str) -> dict[str, Any]:
    """One kill, or two at the same commit, and a process that goes on; what came of it."""
    folder = home / "-".join(map(str, point))
    folder.mkdir()
    kills = sum(not live(folder, point.at, point.when, sabotage) for _ in range(1 + point.twice))
    live(folder, 0, "", sabotage)
    found = got(folder)
    doubles = sum(len(arrived) - len(dict(arrived)) for arrived in found.values())
    shutil.rmtree(folder)
    return {"kills": kills, "doubles": doubles, "broken": [[*one, *point] for one in faults(found, wanted)]}


def sweep(every: int, sabotage: str) -> dict[str, Any]:
    """Kills at every so-manieth commit, before and after it, and once more at the same commit of the next process."""
    home = Path(tempfile.mkdtemp(prefix="kills-"))
    try:
        (home / "whole").mkdir()
        live(home / "whole", 0, "", "")
        wanted = got(home / "whole")
        commits = int((home / "whole/commits").read_text())
        points = [
            Point(when, at, twice)
            for at in range(1, commits + 1, every)
            for when in ("before", "after")
            for twice in (False, True)
        ]
        results = list(_in_parallel(home, points, wanted, sabotage))
    finally:
        shutil.rmtree(home)
    broken = [one for result in results for one in result["broken"]]
    return {
        "commits": commits, "points": len(points), "messages": sum(len(dict(one)) for one in wanted.values()),
        "kills": sum(one["kills"] for one in results), "doubles": sum(one["doubles"] for one in results),
        **{promise: sum(one[0] == promise for one in broken) for promise in PROMISES}, "examples": broken[:5],
    }  # fmt: skip


def _in_parallel(home: Path, points: list[Point], wanted: Got, sabotage: str) -> Iterator[dict[str, Any]]:
    """Lives wait most of their time: some run at once, each below a process of its own."""
    for begin in range(0, len(points), _AT_ONCE):
        batch = {
            point: home / f"result-{number}" for number, point in enumerate(points[begin : begin + _AT_ONCE])
        }
        children = []
        for point, file in batch.items():
            child = os.fork()
            if child == 0:
                with contextlib.suppress(BaseException):
                    file.write_text(json.dumps(tried(home, point, wanted, sabotage)))
                os._exit(0)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)
        for point, file in batch.items():
            if not file.exists():
                raise RuntimeError(f"a life failed by itself: {point}")
            yield json.loads(file.read_text())
            file.unlink()


def main() -> int:
    """See above."""
    parser = argparse.ArgumentParser(prog="python -m tools.lab.kills", description=__doc__)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every so-manieth commit")
    parser.add_argument("--sabotage", default="", choices=["", "mark_first"], help="take a safeguard away")
    asked = parser.parse_args()
    logging.disable()  # each refused attempt has a line, and there are thousands
    said = sweep(asked.every, asked.sabotage)
    print(json.dumps(said))
    return int(any(said[one] for one in PROMISES))


if __name__ == "__main__":
    sys.exit(main())
