"""What `compat` takes from MicroPython, for CPython: a wearable does not have this file."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


class micropython:  # noqa: N801 the name that the compiler looks for
    """CPython runs a `@micropython.viper` function as it stands."""

    @staticmethod
    def viper(function):  # type: ignore[no-untyped-def]
        """Return `function`."""
        return function


def const(value):  # type: ignore[no-untyped-def]
    """Return `value`; on MicroPython the compiler folds it."""
    return value


class _Ecb:
    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 keystream of our own CTR

    def encrypt(self, data: bytes) -> bytes:
        """Return the encryption of whole 16-byte blocks."""
        encryptor = self._cipher.encryptor()
        return encryptor.update(data) + encryptor.finalize()


def aes_ecb(key: bytes) -> _Ecb:
    """As in `compat`."""
    return _Ecb(key)
