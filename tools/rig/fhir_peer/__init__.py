"""A FHIR R4 server on loopback, of the packages in package.json: it refuses what the published definitions refuse."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent
MISSING = "no FHIR server here; Node 20 and `npm ci --prefix tools/rig/fhir_peer` bring it"


def is_here() -> bool:
    """Whether Node and the packages are installed."""
    return (
        shutil.which("node") is not None and (FOLDER / "node_modules" / "@medplum" / "fhir-router").is_dir()
    )


@contextlib.contextmanager
def fhir_server() -> Iterator[str]:
    """The address of a new, empty server (without `/fhir` at its end) until the block ends."""
    server = subprocess.Popen(
        ["node", str(FOLDER / "server.mjs"), "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        if not line.startswith("ready "):
            raise RuntimeError(f"the FHIR server did not start: {line}{server.stdout.read()}")
        yield f"http://127.0.0.1:{line.split()[1]}"
    finally:
        server.kill()
        server.wait()
