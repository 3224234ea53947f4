"""Brings signed numbers to the wearable: the site's rule set and the patient's limits on top, as two of its settings.

A host without a signed rule set does not change the wearable's rules, and the same holds for limits: a laptop that
knows less never loosens anything. Every record of the wearable names the hash of its rules; the re-run knows them too.
"""

import json
import logging
from typing import Any, Protocol

from crs_core import settings
from crs_core.errors import CoreError, LocalError
from crs_core.grade.rules import DEFAULT, Rules, limits_text, rule_hash, with_limits

from host_agent.people.limits import limits_of, rules_for
from host_agent.people.rule_sets import newest_rules, signed_rules
from host_agent.store.db import Tx
from host_agent.store.rule_sets import patient_limits

_LOG = logging.getLogger(__name__)


class SettingsClient(Protocol):
    """The part of a session's client that is needed here."""

    async def get_settings(self) -> Any:
        """The SettingsIs of the wearable."""
        ...

    async def set_settings(self, text: str) -> None:
        """Returns when the wearable keeps and uses them; RequestRefused when it does not."""
        ...


def wanted(tx: Tx, binding: int) -> dict[str, str]:
    """{setting: text} that the wearable of this binding shall have; only what was signed on this host."""
    found = {}
    site = newest_rules(tx)
    if signed_rules(tx):
        found["rules"] = limits_text(site, DEFAULT)
    if limits_of(tx, binding):
        found["limits"] = limits_text(rules_for(tx, binding), site)
    return found


def known_rules(tx: Tx) -> dict[bytes, Rules]:
    """Every set by its hash that a wearable may decide by: the signed ones, each also with each patient's limits."""
    known = {rule_hash(DEFAULT): DEFAULT, **signed_rules(tx)}
    for site in list(known.values()):
        for limits in {one.limits for one in patient_limits(tx)}:
            try:
                made = with_limits(site, json.loads(limits))
            except LocalError:
                continue  # that set contradicts these limits: no wearable has both
            known[rule_hash(made)] = made
    return known


async def bring(client: SettingsClient, numbers: dict[str, str]) -> bool:
    """Change what differs on the wearable; True when something did. Errors of the link are the caller's."""
    if not numbers:
        return False
    try:
        has = settings.decode((await client.get_settings()).data, ignore_unknown=True)
    except CoreError as error:
        _LOG.error("the wearable's settings cannot be read: %s", error)
        return False
    differs = {key: text for key, text in numbers.items() if has.get(key) != text}
    if differs:
        await client.set_settings("".join(f"{key}={text}\n" for key, text in sorted(differs.items())))
        _LOG.info("the wearable now decides by the signed %s", " and ".join(sorted(differs)))
    return bool(differs)
