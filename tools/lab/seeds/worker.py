"""Lives one life for each line of its standard input, and says what became of it: for `search`.

python -m tools.lab.seeds.worker FOLDER. A line is JSON: {"seed", "only", "changes"}; the answer as well.
"""

import json
import shutil
import sys
import time
from pathlib import Path

from tools.conductor.process_random import drawn_from
from tools.lab.seeds.life import Beginning, live
from tools.rig.processes import loaded


def main() -> int:
    """Until the input ends."""
    folder = Path(sys.argv[1])
    answers = sys.stdout
    with loaded():
        with drawn_from("beginning"):
            beginning = Beginning(folder / "beginning")
        for line in sys.stdin:
            asked = json.loads(line)
            begun_s = time.monotonic()
            home = folder / f"seed{asked['seed']}"
            left = live(home, beginning, asked["seed"], asked["only"], asked["changes"])
            if not left.faults or not asked["keep"]:
                shutil.rmtree(home)
            said = {
                "seed": asked["seed"], "faults": left.faults, "digest": left.digest, "harms": left.counts,
                "events": [event.number for event in left.plan.events], "seconds": time.monotonic() - begun_s,
            }  # fmt: skip
            answers.write(json.dumps(said) + "\n")
            answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
