"""The simulated air in simulated time: `python -m tools.conductor.run_air SOCKET NAME FOLDER`.

As `python -m tools.ble_air FOLDER`: it prints READY and the HCI transport for hosts; it ends with its standard input.
Its channel is not perfect: intervals, what is not heard and what is lost come from the seed.
"""

import sys

from tools.conductor.event_loop import use_turns
from tools.conductor.process import take_part


def main() -> int:
    """Hand the folder to the air."""
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    path, name, folder = sys.argv[1:]
    turns = take_part(path, name)
    use_turns(turns)

    # loaded under its new clock
    from tools.ble_air.__main__ import main as air
    from tools.ble_air.channel import Channel

    sys.argv[1:] = [folder]
    return air(Channel(f"{turns.seed} {turns.life}"))


if __name__ == "__main__":
    sys.exit(main())
