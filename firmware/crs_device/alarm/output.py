"""Light, sound and vibration in IEC 60601-1-8 patterns, in real time; they begin before `show` returns.

Light: HIGH red flashing 2 Hz; MEDIUM yellow 0.6 Hz; LOW yellow steady; measuring blue steady; searching for a signal a
short white blink each 2 s; not monitoring magenta, 1 s on and 1 s off. A green light alone does not exist: no light
says that the patient is well. A steady light with a short gap each 4 s: measuring, but no host is listening.
Planned pause: each 5 s as many short magenta blinks as begun 10 min of it are left. A phone may pair: blue,
0.5 s on and off.
Sound: HIGH 3+2 pulses twice, MEDIUM 3 pulses, LOW 1 pulse (widths and spacings: IEC 60601-1-8:2006 table 3 and 4).
"""

from crs_core.compat import const

NONE = const(0)
LOW = const(1)
MEDIUM = const(2)
HIGH = const(3)

MEASURING = const(0)
SEARCHING = const(1)  # nothing valid is being measured now
NOT_MONITORING = const(2)
PAIRING = const(-1)  # measuring, and a phone may pair
PAUSED = const(3)  # a planned pause with less than 10 min left; one more for each 10 min before

_TONE_HZ = const(520)
_DUTY = const(32768)
_KNOWN_LOW_HZ = const(600)
_KNOWN_HIGH_HZ = const(900)
_KNOWN_PULSE_MS = const(180)

# (on, off, on, off, ...) in ms; the last entry is the silence before the burst is repeated
_BURST_HIGH_HALF = (125, 75, 125, 75, 125, 275, 125, 75, 125)
_BURSTS = {
    LOW: (200, 29800),
    MEDIUM: (200, 200, 200, 200, 200, 14000),
    HIGH: _BURST_HIGH_HALF + (600,) + _BURST_HIGH_HALF + (5000,),
}
# Nobody answered: the shortest gap that the standard allows.
_BURST_URGENT = _BURST_HIGH_HALF + (600,) + _BURST_HIGH_HALF + (2500,)


def _period_ms(burst: tuple[int, ...]) -> int:
    total = 0
    for part in burst:
        total += part
    return total


class AlarmOutput:
    """Drives `led.rgb(r, g, b)`, `buzzer.tone(hz, duty)`/`.off()` and the `vibration` pin of a board.

    `show()` starts a pattern at once; `tick()` keeps it going and must be called at least
    each 50 ms of real time. Both take real milliseconds. Writes reach the pins only when something changes.
    """

    def __init__(self, led, buzzer, vibration) -> None:  # type: ignore[no-untyped-def]
        self._led = led
        self._buzzer = buzzer
        self._vibration = vibration
        self.light = NONE
        self.sound = NONE
        self.state = SEARCHING
        self.paused = False
        self.host_away = False
        self._burst: tuple[int, ...] | None = None
        self._burst_ms = 1
        self._burst_from_ms = 0
        self._light_from_ms = 0
        self._known_from_ms = -1
        self._rgb = -1
        self._tone = -1

    def show(
        self,
        light: int,
        sound: int,
        now_real_ms: int,
        state: int = MEASURING,
        urgent: bool = False,
        paused: bool = False,
        host_away: bool = False,
    ) -> None:
        """Show and sound these priorities (0: none) from now on; a louder sound starts its burst at once."""
        burst = _BURSTS.get(sound)
        if urgent and sound == HIGH:
            burst = _BURST_URGENT
        if burst is not self._burst:
            louder = sound > self.sound or (urgent and burst is _BURST_URGENT)
            self._burst = burst
            if burst is not None:
                self._burst_ms = _period_ms(burst)
                # After a fall of the priority the silence of the new pattern comes first.
                self._burst_from_ms = now_real_ms if louder else now_real_ms - self._burst_ms + burst[-1]
        if light != self.light:
            self._light_from_ms = now_real_ms
        self.light = light
        self.sound = sound
        self.state = state
        self.paused = paused
        self.host_away = host_away
        self.tick(now_real_ms)

    def someone_knows(self, now_real_ms: int) -> None:
        """Play the two rising notes and the double white blink: a person elsewhere accepted the alarm."""
        self._known_from_ms = now_real_ms
        self.tick(now_real_ms)

    def off(self) -> None:
        """Switch sound and light off at once (before a reset, or at the end of a test)."""
        self._set_tone(0)
        self._set_rgb(0)

    def forget(self) -> None:
        """Another part drove the pins: the next tick sets them again."""
        self._rgb = self._tone = -1

    def tick(self, now_real_ms: int) -> None:
        """Set the pins as the patterns have them at `now_real_ms`."""
        tone = self._tone_at(now_real_ms)
        rgb = self._rgb_at(now_real_ms)
        if self._known_from_ms >= 0:
            step = (now_real_ms - self._known_from_ms) // _KNOWN_PULSE_MS
            if step >= 4:
                self._known_from_ms = -1
            else:
                tone = (_KNOWN_LOW_HZ, _KNOWN_HIGH_HZ, 0, 0)[step]
                rgb = 0 if step & 1 else 7
        self._set_tone(tone)
        self._set_rgb(rgb)

    def _tone_at(self, now: int) -> int:
        burst = self._burst
        if burst is None:
            return 0
        phase = (now - self._burst_from_ms) % self._burst_ms
        for i in range(len(burst)):
            if phase < burst[i]:
                return 0 if i & 1 else _TONE_HZ
            phase -= burst[i]
        return 0

    def _rgb_at(self, now: int) -> int:  # bits: 4 red, 2 green, 1 blue
        since = now - self._light_from_ms
        if self.light == HIGH:
            rgb = 4 if since % 500 < 250 else 0
        elif self.light == MEDIUM:
            rgb = 6 if since % 1660 < 830 else 0
        elif self.light == LOW:
            rgb = 6
        elif self.state == NOT_MONITORING:
            return 5 if since % 2000 < 1000 else 0
        elif self.state >= PAUSED:
            phase = since % 5000
            rgb = 5 if phase % 400 < 150 and phase // 400 <= self.state - PAUSED else 0
        elif self.state == SEARCHING:
            rgb = 7 if since % 2000 < 100 else 0
        elif self.state == PAIRING:
            rgb = 1 if since % 1000 < 500 else 0
        else:
            rgb = 0 if self.host_away and since % 4000 >= 3800 else 1
        if self.paused and self.light and since % 3000 >= 2900:
            return 7  # the pause is shown: a white blink in the alarm's light
        return rgb

    def _set_tone(self, tone_hz: int) -> None:
        if tone_hz == self._tone:
            return
        self._tone = tone_hz
        if tone_hz:
            self._buzzer.tone(tone_hz, _DUTY)
        else:
            self._buzzer.off()
        self._vibration.value(1 if tone_hz else 0)

    def _set_rgb(self, rgb: int) -> None:
        if rgb == self._rgb:
            return
        self._rgb = rgb
        self._led.rgb(rgb >> 2 & 1, rgb >> 1 & 1, rgb & 1)
