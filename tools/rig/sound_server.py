"""A sound server of a test's own: PulseAudio with a sink that plays into nothing and whose monitor is recorded."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path

from tools.rig.heard import pulses_in
from tools.rig.waiting import until

MISSING = "no pulseaudio, pactl or parec here; `apt-get install pulseaudio pulseaudio-utils` brings them"
RATE_HZ = 48_000
SINK = "bedside"
_START_S = 15.0


def has_sound_server() -> bool:
    """Whether one can be started here."""
    return all(shutil.which(program) for program in ("pulseaudio", "pactl", "parec"))


class SoundServer:
    """`environ` reaches this server and no other; `process` may be stopped, killed and started again by a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            **os.environ, "PULSE_SERVER": f"unix:{folder}/socket", "PULSE_RUNTIME_PATH": str(folder),
            "PULSE_STATE_PATH": str(folder), "PULSE_COOKIE": str(folder / "cookie"), "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
        }  # fmt: skip
        self.process = self._start()

    def _start(self, *modules: str) -> "subprocess.Popen[bytes]":
        modules = modules or (f"module-null-sink sink_name={SINK} rate={RATE_HZ} channels=1",)
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
        command += ["--system=false", "--realtime=no", "--high-priority=no"]
        for module in (f"module-native-protocol-unix socket={self.folder}/socket auth-anonymous=1", *modules):
            command += ["-L", module]
        process = subprocess.Popen(
            command, env=self.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(self._answers, _START_S, "an answer of pulseaudio")
        return process

    def _answers(self) -> bool:
        done = subprocess.run(["pactl", "info"], env=self.environ, capture_output=True, check=False)
        return done.returncode == 0

    def start_again(self, *modules: str) -> None:
        """After `end`, with other modules or the usual ones."""
        self.process = self._start(*modules)

    def end(self) -> None:
        """As if the server crashed."""
        self.process.kill()
        self.process.wait()

    def control(self, *words: str) -> str:
        """What `pactl` answers."""
        done = subprocess.run(
            ["pactl", *words], env=self.environ, capture_output=True, text=True, check=False, timeout=20
        )
        return done.stdout.strip()

    @contextlib.contextmanager
    def recorded(self) -> Iterator["Recording"]:
        """What the sink plays from now on, until the block ends."""
        command = ["parec", f"--device={SINK}.monitor", "--format=s16le", f"--rate={RATE_HZ}", "--channels=1"]
        with tempfile.TemporaryFile() as file:
            recorder = subprocess.Popen(
                [*command, "--latency-msec=20"], env=self.environ, stdout=file, stderr=subprocess.DEVNULL
            )
            try:
                until(lambda: os.fstat(file.fileno()).st_size > 0, _START_S, "a record of parec")
                yield Recording(file.fileno())
            finally:
                recorder.terminate()
                recorder.wait()


class Recording:
    """The file that a recorder is writing; its own place in the file stays where it is."""

    def __init__(self, number: int) -> None:
        self._number = number

    def samples(self) -> "array[int]":
        """Everything so far."""
        data = os.pread(self._number, os.fstat(self._number).st_size, 0)
        return array("h", data[: len(data) // 2 * 2])

    def has(self, pulses: int, after_ms: float = 0.0) -> bool:
        """Whether so many pulses are in it, and so much after the last of them: a busy machine takes longer."""
        samples = self.samples()
        found = pulses_in(samples, RATE_HZ)
        return len(found) >= pulses and len(samples) * 1000 / RATE_HZ >= sum(found[pulses - 1]) + after_ms


@contextlib.contextmanager
def sound_server() -> Iterator[SoundServer]:
    """One server until the block ends."""
    with tempfile.TemporaryDirectory(prefix="sound-") as folder:
        server = SoundServer(Path(folder))
        try:
            yield server
        finally:
            server.end()
