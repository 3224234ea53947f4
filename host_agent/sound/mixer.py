"""Whether what is played can be heard, as the sound server of this desktop tells: `pactl` of PulseAudio or PipeWire.

A server that plays into nothing, a mute and a volume of nothing are silent without an error, so they are asked for.
Where there is no `pactl` nothing is known of them, and `why_silent` says nothing.
"""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from typing import NamedTuple

LEAST_PERCENT = 25  # about 36 dB below the loudest: nobody hears less in the next room
_DEADLINE_S = 3.0
_INTO_NOTHING = "auto_null"  # the name of both servers for the sink that they make when there is no device
_BLOCK = re.compile(r"^(Sink Input|Sink) #(\d+)$", re.MULTILINE)
_PERCENT = re.compile(r"(\d+)%")


class Volume(NamedTuple):
    """A sink, or one program's stream on it. `owner` is the process of a stream, `sink` the number of its sink."""

    kind: str
    number: str
    name: str
    is_muted: bool
    percent: int | None
    port: str
    sink: str
    owner: str


def volumes(listed: str) -> Iterator[Volume]:
    """What `pactl list sinks` or `pactl list sink-inputs` says in plain English."""
    parts = _BLOCK.split(listed)
    for kind, number, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        found = {
            key.strip(): value.strip()
            for key, _, value in (line.partition(":") for line in text.splitlines())
            if value
        }
        owner = re.search(r'application\.process\.id = "(\d+)"', text)
        loudest = [int(one) for one in _PERCENT.findall(found.get("Volume", ""))]
        yield Volume(
            kind, number, found.get("Name", ""), found.get("Mute") == "yes", max(loudest, default=None),
            found.get("Active Port", ""), found.get("Sink", ""), owner[1] if owner else "",
        )  # fmt: skip


def why_silent(default: str, sinks: list[Volume], streams: list[Volume], pid: int | None) -> str:
    """Why nobody would hear what process `pid` plays, in words for nurses; "" when nothing of it is known.

    `default` is the name of the usual sink; a stream that somebody moved counts where it is.
    """
    mine = [one for one in streams if pid is not None and one.owner == str(pid)]
    numbers = {one.sink for one in mine}
    used = [one for one in sinks if (one.number in numbers if mine else one.name == default)]
    if not sinks or any(one.name == _INTO_NOTHING for one in used):
        return "no loudspeaker is connected"
    for one in (*used, *mine):
        if one.is_muted:
            return "its sound is muted"
        if one.percent is not None and one.percent < LEAST_PERCENT:
            return f"its volume is {one.percent} %"
        if "headphone" in one.port.lower() or "headset" in one.port.lower():
            return "its sound goes to headphones"
    return ""


async def ask(pid: int | None, environ: Mapping[str, str] = os.environ) -> str:
    """As `why_silent`, asked now. What cannot be asked, or is not answered in time, is not known: ""."""
    program = shutil.which("pactl", path=environ.get("PATH"))
    if program is None:
        return ""
    said = []
    for words in (("info",), ("list", "sinks"), ("list", "sink-inputs")):
        answer = await _say(program, words, environ)
        if answer is None:
            return ""
        said.append(answer)
    default = re.search(r"^Default Sink: (.*)$", said[0], re.MULTILINE)
    if default is None:
        return ""
    return why_silent(default[1], list(volumes(said[1])), list(volumes(said[2])), pid)


async def _say(program: str, words: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    process = await asyncio.create_subprocess_exec(
        program, *words, env={**environ, "LC_ALL": "C"}, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_DEADLINE_S):
            out, _ = await process.communicate()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return out.decode(errors="replace") if process.returncode == 0 else None
