"""Light that comes back from a finger: a physically modelled two-colour pulse wave.

`ppg_generator` and the virtual wearable's sensor both use this model. It runs on CPython and MicroPython.

One beat is a sum of three bumps (systolic, reflected, dicrotic) in a table. Breathing modulates the heart rate by 2 %
and the mean level by 0.2 %, vasomotion the mean level by 0.3 %. Movement is six tones of 0.4 to 4 Hz that swell and
fade. All of these act on both colours alike. The ratio of ratios R comes from SpO2 by inverting AN6845, the firmware's
default: SpO2 = 1.5958 R^2 - 34.6597 R + 112.6899. Levels are counts of an 18-bit converter at the reference LED
current and range (see virtual_wearable/models/max30102.py), before noise.
"""

from array import array
from math import cos, exp, log, pi, sin, sqrt

IR_LEVEL = 120000.0  # mean counts with skin in front of the probe
RED_LEVEL = 100000.0
IR_OFF = 900.0  # mean counts with nothing in front of it
RED_OFF = 700.0
NOISE_SIGMA = 15.0  # counts per conversion, each colour
BREATHING = 0.002  # of the mean level
BREATHING_HZ = 0.25
VASOMOTION = 0.003  # of the mean level

PHASE_STEPS = 4096  # steps of one beat; a step is below the noise up to a perfusion index of 2 %
_MASK = PHASE_STEPS - 1
_TONES = 6  # of one movement
_MAYER_HZ = 0.1
_VASOMOTION_HZ = 1 / 45


def ratio_of(spo2_pct: float) -> float:
    """Return R for an SpO2 in percent: the root of AN6845's curve that lies in 0..4."""
    a, b, c = 1.5958, -34.6597, 112.6899 - spo2_pct
    return (-b - sqrt(b * b - 4 * a * c)) / (2 * a)


def _beat_table() -> array:
    bumps = ((1.0, 0.20, 0.075), (0.50, 0.38, 0.10), (0.22, 0.58, 0.16))  # height, centre, width of a beat
    raw = array("f")
    for i in range(PHASE_STEPS):
        value = 0.0
        for height, centre, width in bumps:
            distance = (i / PHASE_STEPS - centre + 0.5) % 1.0 - 0.5
            value += height * exp(-distance * distance / (2 * width * width))
        raw.append(value)
    low, high = min(raw), max(raw)
    for i in range(PHASE_STEPS):
        raw[i] = (raw[i] - low) / (high - low)
    return raw


def _sine_table() -> array:
    table = array("f")
    for i in range(PHASE_STEPS):
        table.append(sin(2 * pi * i / PHASE_STEPS))
    return table


class _Lcg:
    """32-bit linear congruential generator (Numerical Recipes constants): fast and equal on every runtime."""

    def __init__(self, seed: int) -> None:
        self.state = seed & 0xFFFFFFFF

    def next(self) -> int:
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
        return self.state

    def uniform(self) -> float:
        """A number from 0 up to but not including 1."""
        return self.next() / 4294967296


def _noise_table(lcg: _Lcg, sigma: float) -> array:
    values = array("f")
    for _ in range(PHASE_STEPS // 2):  # Box-Muller
        radius = sigma * sqrt(-2 * log((lcg.next() + 1) / 4294967297))
        angle = 2 * pi * lcg.uniform()
        values.append(radius * cos(angle))
        values.append(radius * sin(angle))
    return values


_BEAT = _beat_table()
_SINE = _sine_table()


class PpgWave:
    """The wave of one wearer. `seed` fixes noise and movement; only `advance` and `skip` move its time.

    Levels and noise are in counts; `breathing` and `vasomotion` are fractions of the level. `phase` is the phase of
    the beat, in steps of PHASE_STEPS.
    """

    def __init__(
        self,
        seed: int = 1,
        red_level: float = RED_LEVEL,
        ir_level: float = IR_LEVEL,
        noise_counts: float = NOISE_SIGMA,
        breathing: float = BREATHING,
        breathing_hz: float = BREATHING_HZ,
        vasomotion: float = VASOMOTION,
    ) -> None:
        self._lcg = _Lcg(seed)
        self._noise = _noise_table(self._lcg, noise_counts)
        self._red_level, self._ir_level = red_level, ir_level
        self._breathing, self._vasomotion = breathing, vasomotion
        self._breath_steps = breathing_hz * PHASE_STEPS
        self._movements: list[tuple[float, float, float, list[tuple[float, float]]]] = []
        self.phase = 0.0
        self._t_s = 0.0
        self.see(None)

    def see(self, optical: "tuple[float, float, float] | None") -> None:
        """Set what is in front of the probe: (spo2_pct, hr_bpm, pi_pct), or None for nothing."""
        if optical is None:
            self._contact = False
            self._ir, self._red = IR_OFF, RED_OFF
            self._ir_pulse = self._red_pulse = self._hz = 0.0
            return
        spo2_pct, hr_bpm, pi_pct = optical
        self._contact = True
        self._hz = hr_bpm / 60.0
        self._ir, self._red = self._ir_level, self._red_level
        depth = pi_pct / 100.0
        self._ir_pulse = depth
        self._red_pulse = depth * ratio_of(spo2_pct)

    def move(
        self, from_s: float, to_s: float, size: float, tones: "list[tuple[float, float]] | None" = None
    ) -> None:
        """Move between two seconds of the wave's own time: up to about `size` of the level, rising and falling.

        `tones` are (Hz, radians at second 0); without them six of 0.4 to 4 Hz are drawn.
        """
        if tones is None:
            tones = []
            for _ in range(_TONES):
                tones.append((0.4 + 3.6 * self._lcg.uniform(), 2 * pi * self._lcg.uniform()))
        self._movements.append((from_s, to_s, size, tones))

    def _moved(self, t_s: float) -> float:
        total = 0.0
        for from_s, to_s, size, tones in self._movements:
            if from_s <= t_s < to_s:
                waves = 0.0
                for hz, start in tones:
                    waves += sin(2 * pi * hz * t_s + start)
                swell = 0.5 - 0.5 * cos(2 * pi * (t_s - from_s) / (to_s - from_s))
                total += size * swell * waves / sqrt(len(tones))
        return total

    def skip(self, span_s: float) -> None:
        """Let `span_s` pass without a conversion."""
        self._t_s += span_s
        self.phase = (self.phase + self._hz * span_s * PHASE_STEPS) % PHASE_STEPS

    def advance(
        self, count: int, step_s: float, red_gain: float, ir_gain: float, ceiling: int
    ) -> "tuple[int, int]":
        """Return the integer mean (red, ir) of `count` conversions `step_s` apart.

        Gains are relative to the reference LED current and range; each conversion is clipped to 0..ceiling.
        """
        t_s, phase, noise, lcg = self._t_s, self.phase, self._noise, self._lcg
        contact, red_dc, ir_dc = self._contact, self._red * red_gain, self._ir * ir_gain
        red_pulse, ir_pulse = self._red_pulse, self._ir_pulse
        breath_steps, breathing, vasomotion = self._breath_steps, self._breathing, self._vasomotion
        movements = self._movements
        red_sum = ir_sum = 0
        state = lcg.state
        for _ in range(count):
            base, pulse = 1.0, 0.0
            if contact:
                breath = int(t_s * breath_steps)
                mayer = _SINE[int(t_s * (_MAYER_HZ * PHASE_STEPS)) & _MASK]
                rate = 1.0 + 0.02 * _SINE[breath & _MASK] + 0.01 * mayer
                phase = (phase + self._hz * rate * step_s * PHASE_STEPS) % PHASE_STEPS
                slow = _SINE[int(t_s * (_VASOMOTION_HZ * PHASE_STEPS)) & _MASK]
                base += breathing * _SINE[(breath + 456) & _MASK] + vasomotion * slow  # 456 steps = 0.7 rad
                if movements:
                    base += self._moved(t_s)
                pulse = _BEAT[int(phase)]
            state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
            red = int(red_dc * (base - red_pulse * pulse) + noise[state >> 20] + 0.5)
            ir = int(ir_dc * (base - ir_pulse * pulse) + noise[(state >> 8) & _MASK] + 0.5)
            red_sum += 0 if red < 0 else (ceiling if red > ceiling else red)
            ir_sum += 0 if ir < 0 else (ceiling if ir > ceiling else ir)
            t_s += step_s
        lcg.state = state
        self._t_s, self.phase = t_s, phase
        return red_sum // count, ir_sum // count
