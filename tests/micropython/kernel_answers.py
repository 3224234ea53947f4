"""Runs on MicroPython and on CPython: every compiled loop of the PPG chain on hard inputs, one line each.

`answers(make)` yields the lines; `make` turns a list of integers into what the loops read and write.
"""

from array import array

from crs_device.signal import highpass, kernels, light

FULL_SCALE = 262143
N = 100


def noise(n: int, seed: int, low: int, high: int) -> "list[int]":
    """The same integers from low to high on every runtime."""
    state = seed * 2654435 + 12345
    out = []
    for _ in range(n):
        state = (state * 1103515 + 12345) & 0x3FFFFFF
        out.append(low + (state >> 6) % (high - low + 1))
    return out


def raw_inputs() -> "list[tuple[str, list[int]]]":
    """Raw counts, 600 each."""
    found = [("full scale", [FULL_SCALE] * 600), ("zero", [0] * 600)]
    found.append(("step", [0] * 300 + [FULL_SCALE] * 300))
    for half in (1, 2, 3, 5, 8, 12, 18, 21, 25, 40, 80):
        found.append(("square %d" % half, [FULL_SCALE * (t // half % 2) for t in range(600)]))
    for seed in range(6):
        found.append(("noise %d" % seed, noise(600, seed, 0, FULL_SCALE)))
        found.append(("small noise %d" % seed, [120000 + v for v in noise(600, seed, -700, 700)]))
    return found


def windows() -> "list[tuple[str, list[int]]]":
    """Scaled windows, N each."""
    top = (1 << kernels.PEAK_BITS) - 1
    found = [("low", [-top - 1] * N), ("high", [top] * N), ("nothing", [0] * N)]
    for half in (1, 2, 3, 4, 6, 9, 13, 20, 26, 50):
        found.append(("square %d" % half, [top if t // half % 2 else -top - 1 for t in range(N)]))
    for seed in range(8):
        found.append(("noise %d" % seed, noise(N, seed, -top - 1, top)))
    return found


def answers(make):  # type: ignore[no-untyped-def]
    """Yield `name: numbers` for every loop on every input."""
    for name, raw in raw_inputs():
        state = make([0] * 7)
        highpass.restart(state, raw[0])
        ring = make([0] * highpass.RING)
        raw_ring = make([0] * highpass.RING)
        shown = []
        for start in range(0, 600, 10):
            burst = make(raw[start : start + 10])
            highpass.run(state, burst, 0, 10, ring, raw_ring, start & 127)
            shown.append(kernels.contact_from(burst, 10, 20000, raw[start - 1] if start else 0))
        yield "%s: filtered %s state %s contact %s" % (name, numbers(ring), numbers(state), shown)
        for n in (80, N):
            end = 88 + highpass.RING
            out = make([0] * N)
            level = kernels.level_of(raw_ring, end, n, FULL_SCALE)
            peak = kernels.copy_centred(ring, end, n, out)
            shift = kernels.scale(out, n, peak)
            up = [light.upstroke(raw_ring, end, n, lag) for lag in (6, 19, 52)]
            up += [light.depth(raw_ring, end, n, lag) for lag in (6, 19, 52)]
            up += [
                light.cut_off(raw_ring, end, n),
                light.cut_off(make([min(v, 120000) for v in raw]), end, n),
            ]
            up += [light.alike(raw_ring, raw_ring, end, n), light.alike(raw_ring, ring, end, n)]
            yield "%s: level %d peak %d shift %d upstroke %s %s" % (
                name,
                level,
                peak,
                shift,
                up,
                numbers(out),
            )
    r = make([0] * 54)
    for name, wave in windows():
        other = make([wave[(i * 7 + 3) % N] for i in range(N)])
        for n in (64, 80, N):
            x = make(wave)
            dots = [kernels.dot(x, lag, y, 0, n - lag) for lag in (0, 7, 30) for y in (x, other)]
            kernels.autocorrelate(x, n, 34, r)
            peaks = [kernels.first_peak(r, 33, 75), kernels.highest_peak(r, 10, 30)]
            sizes = [kernels.peak_to_peak(x, n, span) for span in (6, 20, 52)] + [kernels.slopes(x, n)]
            kernels.smooth(x, n, 6)
            smoothed = numbers(x)
            x = make(wave)
            peak = kernels.sharpen(x, n)
            shift = kernels.scale(x, n, peak)
            yield "%s %d: %s %s %s %s %s %d %d %s" % (
                name, n, numbers(dots), numbers(r), numbers(peaks), numbers(sizes), smoothed, peak, shift, numbers(x)
            )  # fmt: skip


def numbers(values) -> str:  # type: ignore[no-untyped-def]
    """As text that is the same for every kind of integer."""
    return " ".join(["%d" % value for value in values])


def main() -> None:
    """Print one line for each answer."""
    for line in answers(lambda values: array("i", values)):
        print(line)


if __name__ == "__main__":
    main()
