"""What a check uses in place of pytest.raises, which MicroPython does not have."""


def raised(error, call, *args) -> str:
    """What the `error` says that `call(*args)` raises; AssertionError with the arguments when it raises none."""
    try:
        call(*args)
    except error as refusal:
        return str(refusal.args[0])
    raise AssertionError(f"not refused: {args!r}")
