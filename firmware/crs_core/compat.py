"""The only module that asks which Python runs it: `const`, viper and AES-128 ECB for both runtimes."""

# An annotation that the viper compiler reads; on CPython it stands for the array that it points into.
from array import array as ptr32

__all__ = ("aes_ecb", "const", "micropython", "ptr32")

try:
    import micropython
    from micropython import const
except ImportError:  # CPython

    class micropython:  # type: ignore[no-redef]  # noqa: N801 the name the compiler looks for
        """CPython runs a `@micropython.viper` function as it stands."""

        @staticmethod
        def viper(function):  # type: ignore[no-untyped-def]
            """Return `function`."""
            return function

    def const(value):  # type: ignore[no-untyped-def]
        """Return `value`; on MicroPython the compiler folds it."""
        return value


try:
    from cryptolib import aes as _aes

    def aes_ecb(key: bytes):  # type: ignore[no-untyped-def]
        """Return an object whose `encrypt(bytes)` does AES-128 ECB over whole 16-byte blocks (FIPS 197)."""
        return _aes(key, 1)  # 1 = ECB

except ImportError:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    class _Ecb:
        def __init__(self, key: bytes) -> None:
            self._cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 keystream of our own CTR

        def encrypt(self, data: bytes) -> bytes:
            """Return the encryption of whole 16-byte blocks."""
            encryptor = self._cipher.encryptor()
            return encryptor.update(data) + encryptor.finalize()

    def aes_ecb(key: bytes):  # type: ignore[no-untyped-def]
        """Return an object whose `encrypt(bytes)` does AES-128 ECB over whole 16-byte blocks (FIPS 197)."""
        return _Ecb(key)
