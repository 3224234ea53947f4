"""What `pactl` says, read: a sound that goes nowhere is told from one that somebody may hear."""

import pytest

from host_agent.sound import mixer

SINKS = """Sink #0
\tState: RUNNING
\tName: speakers
\tDescription: Built-in Audio
\tMute: {mute}
\tVolume: front-left: {left} /  {left}% / -0.00 dB,   front-right: 65536 / {right}% / 0.00 dB
\t        balance 0.00
\tBase Volume: 65536 / 100% / 0.00 dB
\tActive Port: {port}

Sink #7
\tState: IDLE
\tName: {other}
\tMute: no
\tVolume: mono: 65536 / 100% / 0.00 dB
"""
STREAMS = """Sink Input #12
\tDriver: protocol-native.c
\tSink: {sink}
\tMute: {mute}
\tVolume: mono: 65536 / {volume}% / 0.00 dB
\tProperties:
\t\tapplication.name = "CytoWatch"
\t\tapplication.process.id = "{pid}"
"""


def sinks(**change):
    words = {
        "mute": "no",
        "left": 100,
        "right": 100,
        "port": "analog-output-speaker",
        "other": "hdmi",
        **change,
    }
    return list(mixer.volumes(SINKS.format(**words)))


def streams(**change):
    return list(
        mixer.volumes(STREAMS.format(**{"sink": 0, "mute": "no", "volume": 100, "pid": 77, **change}))
    )


CASES = {
    "all is loud": (sinks(), streams(), ""),
    "muted": (sinks(mute="yes"), streams(), "its sound is muted"),
    "volume zero": (sinks(left=0, right=0), streams(), "its volume is 0 %"),
    "too quiet to hear": (sinks(left=24, right=24), streams(), "its volume is 24 %"),
    "just loud enough": (sinks(left=25, right=25), streams(), ""),
    "only one side is down": (sinks(left=0), streams(), ""),
    "headphones": (sinks(port="analog-output-headphones"), streams(), "its sound goes to headphones"),
    "a server that plays into nothing": (sinks(other="auto_null"), streams(sink=7), "no loudspeaker is connected"),
    "no sink at all": ([], [], "no loudspeaker is connected"),
    "this program is muted": (sinks(), streams(mute="yes"), "its sound is muted"),
    "this program is quiet": (sinks(), streams(volume=3), "its volume is 3 %"),
    "another program is muted": (sinks(), streams(mute="yes", pid=78), ""),
    "moved to a sink that is loud": (sinks(mute="yes"), streams(sink=7), ""),
    "not playing yet, and the usual sink is muted": (sinks(mute="yes"), [], "its sound is muted"),
}  # fmt: skip


@pytest.mark.parametrize(("all_sinks", "playing", "expected"), CASES.values(), ids=CASES)
def test_why_nobody_hears_it(all_sinks, playing, expected):
    assert mixer.why_silent("speakers", all_sinks, playing, 77) == expected


async def test_without_pactl_nothing_is_known(tmp_path):
    assert await mixer.ask(1, {"PATH": str(tmp_path)}) == ""


@pytest.mark.parametrize("script", ["exit 1", "echo rubbish; exit 0"])
async def test_a_pactl_that_fails_or_rambles_harms_nothing(tmp_path, script):
    program = tmp_path / "pactl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    assert await mixer.ask(1, {"PATH": f"{tmp_path}:/usr/bin:/bin"}) == ""
