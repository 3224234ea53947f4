"""The service for macOS: a launchd agent of this user. Its text is tested; it was never run on macOS."""

import plistlib
from pathlib import Path

from host_agent.platform.service.program import Program, Service

LABEL = "org.cytowatch.agent"


def launchd_service(program: Program, home: Path, uid: int) -> Service:
    """In the folder of launch agents of the user with this number; `home` is the home folder."""
    file = home / "Library/LaunchAgents" / f"{LABEL}.plist"
    text = plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": list(program.command),
            "EnvironmentVariables": dict(program.environment),
            "RunAtLoad": True,
            "KeepAlive": True,
            "ThrottleInterval": 5,
            "ProcessType": "Interactive",
            "Umask": 0o077,
        }
    ).decode()
    domain = f"gui/{uid}"
    return Service(
        "launchd", file, text, "utf-8",
        take_in=(("launchctl", "bootstrap", domain, str(file)),),
        start=("launchctl", "kickstart", f"{domain}/{LABEL}"), stop=("launchctl", "bootout", f"{domain}/{LABEL}"),
        forget=(), ask=("launchctl", "print", f"{domain}/{LABEL}"),
        survives="It starts when this user signs in, and ends when this user signs out.",
        limits="launchd has no watchdog: an agent that hangs is not started again. This was not run on macOS.",
    )  # fmt: skip
