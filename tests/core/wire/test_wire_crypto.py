"""Our HMAC, HKDF and counter mode against the `cryptography` library and the standard library, all sizes."""

import hashlib
import hmac
import random

import pytest
from crs_core.errors import LocalError
from crs_core.wire import crypto
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SOURCE = random.Random(20)


def test_hmac():
    for size in (0, 1, 16, 32, 63, 64, 65, 131):
        key = SOURCE.randbytes(size)
        for length in (0, 1, 55, 64, 119, 120, 4096):
            data = SOURCE.randbytes(length)
            assert crypto.Hmac(key).digest(data) == hmac.new(key, data, hashlib.sha256).digest()


def test_hkdf():
    for length in (1, 16, 31, 32, 33, 64, 255 * 32):
        key, salt, info = SOURCE.randbytes(32), SOURCE.randbytes(32), SOURCE.randbytes(37)
        theirs = HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(key)
        assert crypto.hkdf(key, salt, info, length) == theirs
    with pytest.raises(LocalError):
        crypto.hkdf(b"k", b"s", b"i", 255 * 32 + 1)


@pytest.mark.parametrize("length", [1, 15, 16, 17, 239, 240, 511, 512, 513, 1024, 1025, 4096, 5000])
def test_counter_mode(length):
    key, data = SOURCE.randbytes(16), SOURCE.randbytes(length)
    for counter in (0, 1, 255, 256, 0xFFFFFFFE):
        first_block = counter.to_bytes(4, "little") + b"\xd2" + bytes(7) + bytes(4)
        theirs = Cipher(algorithms.AES(key), modes.CTR(first_block)).encryptor().update(data)
        ours = crypto.Ctr(key, 0xD2).crypt(counter, data)
        assert ours == theirs
        assert crypto.Ctr(key, 0xD2).crypt(counter, ours) == data


def test_counter_mode_keystreams_never_meet():
    """Directions and counters must differ in every block."""
    zeros = bytes(4096)
    seen = set()
    for direction in (0xD1, 0xD2):
        for counter in range(20):
            stream = crypto.Ctr(bytes(16), direction).crypt(counter, zeros)
            for at in range(0, len(stream), 16):
                block = stream[at : at + 16]
                assert block not in seen
                seen.add(block)


def test_equal():
    assert crypto.equal(b"", b"") and crypto.equal(b"abc", b"abc")
    assert (
        not crypto.equal(b"abc", b"abcd")
        and not crypto.equal(b"abc", b"abd")
        and not crypto.equal(b"bbc", b"abc")
    )
    for at in range(256):
        assert not crypto.equal(bytes(32), bytes(at // 8) + bytes([1 << at % 8]) + bytes(31 - at // 8))
