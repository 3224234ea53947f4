"""Which version of this program runs."""

from importlib.metadata import PackageNotFoundError, version


def program_version() -> str:
    """As it was installed: `0.1.0`; `not installed` where the sources run by themselves."""
    try:
        return version("cytowatch")
    except PackageNotFoundError:
        return "not installed"
