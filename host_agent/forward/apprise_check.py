"""Whether Apprise understands an address, and keeps its recipient: asked before anything is sent.

One process answers for all addresses, because Apprise takes a second to load. It ends itself when nobody asks.
"""

import atexit
import contextlib
import json
import select
import subprocess
import sys
import threading

COMMAND = (sys.executable, "-m", "host_agent.forward.apprise_helper.process")
START_S = 30.0


class Addresses:
    """The process, started by the first question."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._asking = threading.Lock()

    def problem(self, url: str, timeout_s: float) -> str | None:
        """Why the address cannot be used, without showing it; None when it can. Nothing is sent."""
        line = json.dumps({"url": url, "timeout_s": timeout_s}).encode() + b"\n"
        with self._asking:
            for _ in range(2):  # the first may just have ended itself
                with contextlib.suppress(OSError, ValueError):
                    answer: str | None = json.loads(self._ask(line))["problem"]
                    return answer
                self.close()
        return "Apprise does not start; reinstall it: pip install 'cytowatch[apprise]'"

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _ask(self, line: bytes) -> bytes:
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 (our own module, and the address goes through a pipe)
                (*COMMAND, "--check"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                bufsize=0,
            )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(line)
        if not select.select([self._process.stdout], [], [], START_S)[0]:
            raise TimeoutError
        return self._process.stdout.readline()


ADDRESSES = Addresses()
atexit.register(ADDRESSES.close)
