"""The service for Windows: a scheduled task of this user. Its text is tested; it was never run on Windows."""

import subprocess
from pathlib import Path
from xml.etree import ElementTree as Xml

from host_agent.platform.service.program import Program, Service

TASK = "CytoWatch"
_NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_SETTINGS = {
    "MultipleInstancesPolicy": "IgnoreNew",
    "DisallowStartIfOnBatteries": "false",
    "StopIfGoingOnBatteries": "false",
    "AllowHardTerminate": "true",
    "StartWhenAvailable": "true",
    "RunOnlyIfNetworkAvailable": "false",
    "AllowStartOnDemand": "true",
    "Enabled": "true",
    "RunOnlyIfIdle": "false",
    "ExecutionTimeLimit": "PT0S",  # no limit
    "Priority": "4",
}


def task_service(program: Program, folder: Path, user: str) -> Service:
    """`folder` keeps the task's XML, `user` is DOMAIN\\NAME."""
    task = Xml.Element("Task", version="1.3", xmlns=_NAMESPACE)
    trigger = _below(_below(task, "Triggers"), "LogonTrigger")
    _below(trigger, "Enabled", "true")
    _below(trigger, "UserId", user)
    principal = _below(_below(task, "Principals"), "Principal", id="Author")
    for name, text in (("UserId", user), ("LogonType", "InteractiveToken"), ("RunLevel", "LeastPrivilege")):
        _below(principal, name, text)
    settings = _below(task, "Settings")
    for name, text in _SETTINGS.items():
        _below(settings, name, text)
    again = _below(settings, "RestartOnFailure")
    _below(again, "Interval", "PT1M")
    _below(again, "Count", "999")
    action = _below(_below(task, "Actions", Context="Author"), "Exec")
    if program.environment:  # a task has no environment of its own
        sets = "&& ".join(f'set "{name}={value}"' for name, value in program.environment)
        _below(action, "Command", "cmd.exe")
        _below(action, "Arguments", f'/d /c "{sets}&& {subprocess.list2cmdline(program.command)}"')
    else:
        _below(action, "Command", program.command[0])
        _below(action, "Arguments", subprocess.list2cmdline(program.command[1:]))
    Xml.indent(task)
    text = '<?xml version="1.0" encoding="UTF-16"?>\n' + Xml.tostring(task, encoding="unicode") + "\n"
    file = folder / f"{TASK}.xml"
    return Service(
        "scheduled task", file, text, "utf-16",
        take_in=(("schtasks", "/Create", "/TN", TASK, "/XML", str(file), "/F"),),
        start=("schtasks", "/Run", "/TN", TASK), stop=("schtasks", "/End", "/TN", TASK),
        forget=(("schtasks", "/Delete", "/TN", TASK, "/F"),), ask=("schtasks", "/Query", "/TN", TASK, "/FO", "LIST"),
        survives="It starts when this user signs in, and ends when this user signs out.",
        limits="It has no watchdog: an agent that hangs is not started again. This was not run on Windows.",
    )  # fmt: skip


def _below(parent: Xml.Element, name: str, text: str = "", **attributes: str) -> Xml.Element:
    child = Xml.SubElement(parent, name, attributes)
    child.text = text or None
    return child
