"""`cytowatch` on the simulated air: `python -m tools.ble_air.run_cytowatch HCI COMMAND ...` (HCI: as printed)."""

import hashlib
import os
import sys

from host_agent.cli.main import main as cytowatch
from host_agent.link import ble_radio
from tools.ble_air.bleak_backend import Adapter


def own_address(number: int) -> str:
    """An address for the process of this number: static random, so its two highest bits are set."""
    digest = hashlib.sha256(str(number).encode()).digest()
    return ":".join(f"{byte:02X}" for byte in (digest[0] | 0xC0, *digest[1:6]))


def use_air(hci: str, number: int) -> None:
    """Give this process a radio behind a bumble transport, in the place of the system's Bluetooth."""

    async def backend() -> ble_radio.Backend:
        adapter = await Adapter.open(hci=hci, address=own_address(number))
        scanner, client = adapter.backends()
        return ble_radio.Backend(scanner, client)

    ble_radio.use_backend(backend)


def main() -> None:
    """Hand the rest of the command line to cytowatch."""
    hci, *arguments = sys.argv[1:]
    use_air(hci, os.getpid())
    cytowatch(arguments)


if __name__ == "__main__":
    main()
