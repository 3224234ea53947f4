"""What a command holds while it writes in the state folder itself: no agent and no other such command works there."""

from collections.abc import Iterator
from contextlib import contextmanager

from host_agent.control.socket import someone_listens
from host_agent.paths import Paths
from host_agent.plain_file import SOCKET, kind_of
from host_agent.state_lock import StateFolderBusy, StateLock


@contextmanager
def alone(paths: Paths, command: str) -> Iterator[None]:
    """Hold the state folder for this block; StateFolderBusy says who works there."""
    with StateLock(paths.ensure(), command):
        # an agent of an earlier version holds no lock on the folder, but it answers on the socket
        if kind_of(paths.socket) == SOCKET and someone_listens(paths.socket):
            raise StateFolderBusy(
                f"The agent runs on this state folder, {paths.home}.",
                "Stop it first: Ctrl-C, or kill its pid.",
            )
        yield
