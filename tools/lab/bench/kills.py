"""kill -9 at every commit point of the outbox: nothing lost, doubles only under the same key with the same bytes."""

import json
import subprocess
import sys
from collections.abc import Iterator

from tools.lab.bench.measuring import Row


def rows() -> Iterator[Row]:
    done = subprocess.run(
        [sys.executable, "-m", "tools.lab.kills"], capture_output=True, text=True, check=False
    )
    if not done.stdout:
        raise RuntimeError(done.stderr)
    said = json.loads(done.stdout)
    wrong = said["strange"] + said["other bytes"] + said["out of order"]
    figure = (
        f"{said['lost']} lost, {wrong} wrong, {said['doubles']} again under their keys, {said['kills']} kills at"
        f" {said['commits']} commits"
    )
    yield "kill -9 at every commit point of the outbox", figure, "0 lost, 0 wrong", said["lost"] == wrong == 0
