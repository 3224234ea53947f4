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
_NEVER_FOUND = ("invalid", "onion")  # RFC 6761, RFC 7686
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
    _check_host(host, form, is_encrypted=parts.scheme.endswith("s"))
    if parts.fragment:
        raise ValueError(f"{form}; what stands behind # is never sent, so this is the address of a page")
    return address


def _check_host(host: str, form: str, *, is_encrypted: bool) -> None:
    if not host:
        raise ValueError(f"{form}; the name of the machine is missing")
    if host.startswith("["):
        try:
            found = ipaddress.IPv6Address(host[1:-1] if host.endswith("]") else "")
        except ValueError:
            raise ValueError(f"{form}; what stands in brackets is no IPv6 address") from None
        _check_ipv6(found, form, is_encrypted)
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
            _check_one_machine(ipaddress.IPv4Address(name), form)
        except ipaddress.AddressValueError:
            raise ValueError(f"{form}; {name} is no IPv4 address: four numbers from 0 to 255") from None
        return
    if is_encrypted and name.endswith("."):
        raise ValueError(f"{form}; no certificate holds a name that ends with a dot, so delete the dot")
    if labels[-1] in _NEVER_FOUND:
        raise ValueError(f"{form}; no name server knows a name that ends with .{labels[-1]}")
    wrong = [label for label in labels if not _LABEL.fullmatch(label) or len(label) > _LONGEST_LABEL]
    if wrong or len(name) > _LONGEST_NAME:
        raise ValueError(
            f"{form}; a name has parts of 1 to {_LONGEST_LABEL} letters, digits and dashes with dots between,"
            f" at most {_LONGEST_NAME} in all"
        )


def _check_ipv6(found: ipaddress.IPv6Address, form: str, is_encrypted: bool) -> None:
    if re.match(r"25\D", found.scope_id or ""):
        raise ValueError(f"{form}; write the network card as %eth0, not as %25eth0")
    if is_encrypted and found.scope_id:
        raise ValueError(
            f"{form}; no certificate holds an address with a network card, so give the machine a name"
        )
    if found.is_link_local and not found.scope_id:
        raise ValueError(f"{form}; an address that begins with fe80 needs its network card, such as %eth0")
    if is_encrypted and found.ipv4_mapped:
        raise ValueError(f"{form}; write {found.ipv4_mapped} alone, as certificates do")
    _check_one_machine(found.ipv4_mapped or found, form)


def _check_one_machine(found: ipaddress.IPv4Address | ipaddress.IPv6Address, form: str) -> None:
    is_nowhere = found.version == 4 and found.packed[0] == 0 and not found.is_unspecified
    if found.is_multicast or is_nowhere or (found.version == 4 and found.is_reserved):
        raise ValueError(f"{form}; {found} is the address of no single machine")
