"""The service that this system can have, for this user."""

import getpass
import os
import sys
from pathlib import Path

import platformdirs

from host_agent.errors import ConfigError
from host_agent.platform.service.launchd import launchd_service
from host_agent.platform.service.program import Program, Service
from host_agent.platform.service.systemd import system_service, user_service
from host_agent.platform.service.windows_task import task_service

_GROUPS = ("audio", "bluetooth", "dialout", "uucp")  # who has them may use sound, radio and serial ports


def service_of(
    program: Program, *, is_system: bool, user: str | None, platform: str = sys.platform
) -> Service:
    """For the whole system as `user`, or for the user who asks. ConfigError for what this system does not have."""
    if is_system and platform != "linux":
        raise ConfigError("--system is for systemd.", "Leave --system out.")
    if is_system != (user is not None):
        raise ConfigError("--system and --as NAME belong together.",
                          "Name the user whose state folder it is: --system --as NAME")  # fmt: skip
    if platform == "darwin":
        return launchd_service(program, Path.home(), os.getuid())
    if platform == "win32":
        name = f"{os.environ.get('USERDOMAIN', '.')}\\{getpass.getuser()}"
        return task_service(program, Path(platformdirs.user_data_dir("cytowatch", False)), name)
    if user is None:
        return user_service(
            program, Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"), getpass.getuser()
        )
    return system_service(program, user, _groups())


def _groups() -> tuple[str, ...]:
    """Those that this system has: a unit that names another one does not start."""
    try:
        lines = Path("/etc/group").read_text(errors="replace").splitlines()
    except OSError:
        return ()
    return tuple(name for name in _GROUPS if any(line.startswith(f"{name}:") for line in lines))
