"""Random numbers of a process from the seed of the run: two runs give the same ids, keys and nonces."""

import contextlib
import os
import random
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tools.conductor.turns import Turns

_KEY_BYTES = 32
# one for the whole process: a default argument that took it when it was loaded draws from today's seed
_SOURCE = random.Random()


def use_random(turns: Turns) -> None:
    """Replace every source of random numbers of this process. Another life of the same name draws others."""
    draw_from(f"{turns.seed} {turns.name} {turns.life}")


def draw_from(seed: str) -> None:
    """From now on every random number of this process comes from `seed`."""
    source = _SOURCE
    source.seed(seed)
    os.urandom = source.randbytes
    random._urandom = source.randbytes  # type: ignore[attr-defined]  # `secrets` and SystemRandom draw here
    random.seed(source.getrandbits(64))

    # the library of cryptography has a source of its own
    def generate(cls: type[Ed25519PrivateKey]) -> Ed25519PrivateKey:
        return cls.from_private_bytes(source.randbytes(_KEY_BYTES))

    def generate_private_key(curve: ec.EllipticCurve, backend: object = None) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(1 + source.getrandbits(curve.key_size - 1), curve)

    Ed25519PrivateKey.generate = classmethod(generate)  # type: ignore[method-assign,assignment]
    ec.generate_private_key = generate_private_key


@contextlib.contextmanager
def drawn_from(seed: str) -> Iterator[None]:
    """As `draw_from`, until the block ends."""
    kept = (
        (os, "urandom", os.urandom), (random, "_urandom", random._urandom),  # type: ignore[attr-defined]
        (Ed25519PrivateKey, "generate", Ed25519PrivateKey.__dict__["generate"]),
        (ec, "generate_private_key", ec.generate_private_key),
    )  # fmt: skip
    state = _SOURCE.getstate()
    draw_from(seed)
    try:
        yield
    finally:
        _SOURCE.setstate(state)
        for holder, name, value in kept:
            setattr(holder, name, value)


def process_number(turns: Turns) -> int:
    """A process id that is the same in each run."""
    return random.Random(f"pid {turns.seed} {turns.name} {turns.life}").randrange(300, 1 << 22)
