"""The only module that asks which Python runs it: `const`, viper and AES-128 ECB for both runtimes."""

# An annotation that the viper compiler reads; on CPython it stands for the array that it points into.
from array import array as ptr32

__all__ = ("aes_ecb", "const", "micropython", "ptr32")

try:
    import micropython
    from cryptolib import aes
    from micropython import const

    def aes_ecb(key: bytes):  # type: ignore[no-untyped-def]
        """Return an object whose `encrypt(bytes)` does AES-128 ECB over whole 16-byte blocks (FIPS 197)."""
        return aes(key, 1)  # 1 = ECB

except ImportError:
    from crs_core.on_cpython import aes_ecb, const, micropython  # type: ignore[no-redef,unused-ignore]
