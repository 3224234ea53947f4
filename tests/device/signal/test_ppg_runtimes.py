"""The same samples give the same answers on CPython and on real MicroPython; and from registers to values."""

import struct
from pathlib import Path

from crs_core.units import PPG_NO_CONTACT, PPG_NO_PULSE, PPG_VALID
from crs_device.sensors.bus import Bus
from crs_device.sensors.max3010x import Max3010x
from crs_device.sensors.optical import Optical
from crs_device.signal.ppg import Ppg

from tests.device.signal.score import answers
from tools.data.ppg_generator import Burst, Subject, constant, ramp, samples
from tools.rig.micropython import ROOT, run_micropython
from tools.virtual_wearable.models.bench import Bench

HARD = (
    Subject(),
    Subject(hr_bpm=ramp(40, 190, 5, 40), spo2_pct=ramp(100, 68, 5, 40), pi_pct=ramp(5, 0, 5, 45)),
    Subject(motion=0.02, bursts=(Burst(8, 14), Burst(25, 33)), contact=lambda t: not 18 < t < 20),
    Subject(breathing_hz=0.55, pi_pct=constant(0.2), hr_bpm=constant(105)),
    Subject(infrared_level=262100, red_level=9000),
)


def test_bit_for_bit_on_both_runtimes(tmp_path: Path) -> None:
    seen = set()
    for seed, subject in enumerate(HARD):
        stream = list(samples(subject, 45, seed))
        file = tmp_path / f"{seed}.bin"
        file.write_bytes(b"".join(struct.pack("<II", *pair) for pair in stream))
        done = run_micropython(ROOT / "tools/rig/on_micropython/ppg_answers.py", str(file))
        assert done.returncode == 0, done.stderr
        ours = [str(answer[1:]) for answer in answers(stream)]
        assert done.stdout.splitlines()[:-1] == ours
        seen |= {line.split()[-1] for line in ours}
    assert len(seen) >= 6  # the streams reach most states


def poll(
    bench: Bench, probe: Optical, ppg: Ppg, seconds: int
) -> list[tuple[int | None, int | None, int | None, int]]:
    """Drain every 200 ms, ask every second."""
    out = []
    for _ in range(seconds):
        for _ in range(5):
            bench.pass_ms(200)
            assert probe.poll(bench.now_us // 1000) is None
        out.append(ppg.vitals(bench.now_us // 1000))
    return out


def test_from_registers_to_values() -> None:
    bench, ppg = Bench(), Ppg()
    probe = Optical(Max3010x(Bus(bench.i2c)), ppg)
    for spo2_pct, hr_bpm in ((97.0, 75.0), (88.0, 105.0), (82.0, 52.0), (93.0, 160.0)):
        bench.wearer.spo2_pct, bench.wearer.hr_bpm = spo2_pct, hr_bpm
        poll(bench, probe, ppg, 8)
        for spo2, rate, pi, state in poll(bench, probe, ppg, 20):
            assert state == PPG_VALID and spo2 is not None and abs(spo2 / 10 - spo2_pct) <= 1
            assert rate is not None and abs(rate - hr_bpm) <= 5 and pi is not None and 110 <= pi <= 170
    bench.wearer.pi_pct = 0.0
    poll(bench, probe, ppg, 8)
    assert set(poll(bench, probe, ppg, 20)) == {(None, None, 0, PPG_NO_PULSE)}
    bench.wearer.spo2_pct = None
    poll(bench, probe, ppg, 1)
    assert set(poll(bench, probe, ppg, 5)) == {(None, None, None, PPG_NO_CONTACT)}
    bench.wearer.spo2_pct, bench.wearer.pi_pct = 95.0, 1.0
    back = poll(bench, probe, ppg, 5)
    assert back[-1][3] == PPG_VALID and back[0][0] is None


def test_a_fall_that_only_the_fifo_saw_before_a_stall_is_told_with_its_age() -> None:
    bench, ppg = Bench(), Ppg()
    probe = Optical(Max3010x(Bus(bench.i2c)), ppg)
    poll(bench, probe, ppg, 8)
    bench.wearer.spo2_pct = 86.0
    poll(bench, probe, ppg, 4)
    bench.pass_ms(4000)  # the FIFO holds the first 1.28 s of it, 2.7 s are lost
    gap = probe.poll(bench.now_us // 1000)
    assert gap is not None and gap[2] >= 1240
    bench.wearer.spo2_pct = None
    spo2, _, _, state = ppg.vitals(bench.now_us // 1000)
    assert state == PPG_VALID and spo2 is not None and spo2 < 880 and ppg.behind_ms == gap[2]
    bench.pass_ms(1000)
    probe.poll(bench.now_us // 1000)
    assert ppg.vitals(bench.now_us // 1000)[0] is None and ppg.behind_ms == 0


def test_a_stall_longer_than_an_alarm_may_look_back_gives_no_value() -> None:
    bench, ppg = Bench(), Ppg()
    probe = Optical(Max3010x(Bus(bench.i2c)), ppg)
    poll(bench, probe, ppg, 8)
    bench.pass_ms(12_000)
    assert probe.poll(bench.now_us // 1000) is not None and ppg.vitals(bench.now_us // 1000)[0] is None


def test_a_lost_burst_never_joins_two_pieces() -> None:
    bench, ppg = Bench(), Ppg()
    probe = Optical(Max3010x(Bus(bench.i2c)), ppg)
    poll(bench, probe, ppg, 8)
    assert ppg.vitals(bench.now_us // 1000)[3] == PPG_VALID
    bench.pass_ms(3000)
    assert probe.poll(bench.now_us // 1000) is not None
    first, *others = poll(bench, probe, ppg, 3)
    assert first[3] == PPG_VALID  # what the FIFO had kept still counts, once, and says how old it is
    for answer in others:
        assert answer[:2] == (None, None)
    assert poll(bench, probe, ppg, 2)[-1][3] == PPG_VALID
