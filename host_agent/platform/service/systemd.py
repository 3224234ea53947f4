"""The service for systemd: a unit of one user, or of the whole system.

The watchdog is fed only while the agent's loop and checks run. The sandbox takes away what the agent never uses. The
manager of a user can take away system calls and privileges, and no more than that. What stays open, and why: devices of
serial ports, sound and radio; and memory that is written and then executed, because the library that plays sound makes
code at run time on some systems.
"""

from pathlib import Path

from host_agent.platform.service.program import Program, Service

UNIT = "cytowatch.service"
WATCHDOG_S = 30
_SYSTEM_FOLDER = Path("/etc/systemd/system")
_UNIT = """\
[Unit]
Description=CytoWatch bedside agent (research prototype, not a medical device)
After={after}
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
{who}{environment}ExecStart={command}
Restart=always
RestartSec=5
WatchdogSec={watchdog}
TimeoutAbortSec=15
TimeoutStartSec=900
TimeoutStopSec=60
OOMPolicy=continue
UMask=0077
# Secrets need not lie in the state folder: write their files here and give the key secret_file of the receiver the path
# {credentials}
#LoadCredential=ward:/etc/cytowatch/ward.secret

# What the agent never needs.
{sandbox}
[Install]
WantedBy={wanted}
"""
_SANDBOX = """\
NoNewPrivileges=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_BLUETOOTH
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""
_SYSTEM_SANDBOX = """\
CapabilityBoundingSet=
ProtectSystem=full
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateTmp=yes
DevicePolicy=closed
DeviceAllow=char-ttyACM rw
DeviceAllow=char-ttyUSB rw
DeviceAllow=char-alsa rw
SupplementaryGroups={groups}
"""


def user_service(program: Program, folder: Path, user: str) -> Service:
    """A unit of this user; `folder` is where this user keeps configurations."""
    text = _UNIT.format(
        after="pipewire-pulse.service pulseaudio.service", who="", environment=_environment(program),
        command=_words(program.command), watchdog=WATCHDOG_S, sandbox=_SANDBOX, wanted="default.target",
        credentials=f"/run/user/UID/credentials/{UNIT}/ward, where UID is the number of this user.",
    )  # fmt: skip
    return _service(
        "systemd (user)", folder / "systemd/user" / UNIT, text, ("systemctl", "--user"),
        also=(("loginctl", "enable-linger", user),),
        survives="It survives logout and restart of the computer, once lingering is on for this user.",
    )  # fmt: skip


def system_service(program: Program, user: str, groups: tuple[str, ...]) -> Service:
    """In the folder of units of the system, running as `user`; `groups` are those of it that exist here."""
    sandbox = _SANDBOX + _SYSTEM_SANDBOX.format(groups=" ".join(groups))
    text = _UNIT.format(
        after="local-fs.target bluetooth.service sound.target", who=f"User={_escaped(user)}\n",
        environment=_environment(program), command=_words(program.command), watchdog=WATCHDOG_S, sandbox=sandbox,
        wanted="multi-user.target", credentials=f"/run/credentials/{UNIT}/ward.",
    )  # fmt: skip
    return _service(
        "systemd (system)", _SYSTEM_FOLDER / UNIT, text, ("systemctl",),
        survives="It survives logout and restart of the computer.",
        limits="It has no desktop session: the sound goes straight to the sound card, and no note comes to the screen.",
    )  # fmt: skip


def _service(
    kind: str, file: Path, text: str, control: tuple[str, ...], *, survives: str,
    also: tuple[tuple[str, ...], ...] = (), limits: str = "",
) -> Service:  # fmt: skip
    return Service(
        kind, file, text, "utf-8",
        take_in=((*control, "daemon-reload"), (*control, "enable", UNIT), *also),
        start=(*control, "restart", UNIT), stop=(*control, "disable", "--now", UNIT),
        forget=((*control, "daemon-reload"),),
        ask=(*control, "show", UNIT, "--property=ActiveState,SubState,UnitFileState,MainPID,NRestarts,StatusText"),
        survives=survives, limits=limits,
    )  # fmt: skip


def _environment(program: Program) -> str:
    return "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in program.environment)


def _words(command: tuple[str, ...]) -> str:
    # only in a command line `$` begins a variable
    return " ".join(_quoted(word.replace("$", "$$")) for word in command)


def _quoted(word: str) -> str:
    """One word of a unit file, whatever is in it."""
    return '"' + _escaped(word).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(word: str) -> str:
    return word.replace("%", "%%")
