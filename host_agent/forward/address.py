"""Checks the address of a receiver, so that one that can never work is refused before an alarm needs it."""

import ipaddress
import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import urlsplit

from host_agent.printable import is_invisible

_LONGEST_NAME, _LONGEST_LABEL = 253, 63
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?", re.ASCII)
_PORT = re.compile(r":([0-9]*)$", re.ASCII)
# Typographic quotes come from a word processor; the others no address may hold as they are.
_REFUSED = '"<>\\^`{|}\u2018\u2019\u201c\u201d\u00ab\u00bb'


def check_address(address: str, schemes: Sequence[str] = ("https", "http")) -> str:
    """`address` as it was given; ValueError says what is wrong with it and what to do, and shows no secret of it."""
    form = f"an address such as {schemes[0]}://alarms.example.org/cytowatch"
    if not address:
        raise ValueError(f"{form}, found nothing")
    for at, character in enumerate(address, 1):
        if character in _REFUSED or is_invisible(character):
            name = unicodedata.name(character, "CONTROL CHARACTER")
            raise ValueError(
                f"{form}; the character U+{ord(character):04X} ({name}) at place {at} must be deleted"
            )
    try:
        parts = urlsplit(address)
    except ValueError:
        raise ValueError(f"{form}; its brackets are wrong") from None
    if parts.scheme not in schemes or not address.lower().startswith(f"{parts.scheme}://"):
        begins = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ValueError(f"{form}; it must begin with {begins}")
    authority = parts.netloc
    if "@" in authority:
        raise ValueError("an address without user name or password; the signature proves the sender")
    port = _PORT.search(authority)
    host = authority[: port.start()] if port else authority
    if port is not None and port.group(1) and not 1 <= int(port.group(1)[:6]) <= 65535:
        raise ValueError(f"{form}; a port is a number from 1 to 65535")
    _check_host(host, form)
    return address


def _check_host(host: str, form: str) -> None:
    if not host:
        raise ValueError(f"{form}; the name of the machine is missing")
    if host.startswith("["):
        try:
            ipaddress.IPv6Address(host[1:-1] if host.endswith("]") else "")
        except ValueError:
            raise ValueError(f"{form}; what stands in brackets is no IPv6 address") from None
        return
    if ":" in host:
        raise ValueError(
            f"{form}; a port is a number from 1 to 65535, and an IPv6 address stands in brackets"
        )
    try:
        name = host if host.isascii() else host.encode("idna").decode()
        name.lower().encode().decode("idna")
    except UnicodeError:
        raise ValueError(f"{form}; its name {host!r} is no international domain name") from None
    labels = name.lower().removesuffix(".").split(".")
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        try:
            ipaddress.IPv4Address(name)
        except ValueError:
            raise ValueError(f"{form}; {name} is no IPv4 address: four numbers from 0 to 255") from None
        return
    wrong = [label for label in labels if not _LABEL.fullmatch(label) or len(label) > _LONGEST_LABEL]
    if wrong or len(name) > _LONGEST_NAME:
        raise ValueError(
            f"{form}; a name has parts of 1 to {_LONGEST_LABEL} letters, digits and dashes with dots between,"
            f" at most {_LONGEST_NAME} in all"
        )
