"""`rules`: every number that a clinician must sign, with unit, bounds and source, as a file and back."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from crs_core.grade import rules as core
from crs_core.grade.rules_table import TABLE

from host_agent.errors import ConfigError, HostAgentError
from host_agent.paths import default_paths
from host_agent.people.composing import Door, sign_entry
from host_agent.people.rule_sets import rules_of
from host_agent.store.rule_sets import rule_sets
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import show
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.signing import (
    AccountOption,
    PassphraseOption,
    find_signer,
    with_or_without_agent,
)
from host_agent.text import iso_utc, local_of_iso, table
from host_agent.text_file import read_text_file

FORMAT = "cytowatch.rules/1"
_LARGEST_BYTES = 200_000
rules = typer.Typer(help="The numbers that decide. A clinician signs them.", no_args_is_help=True)
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Rule file, as `rules export` writes it.")]


def document(made: core.Rules, reasons: dict[str, str]) -> dict[str, Any]:
    """The rule file: every number with what one must know to change it."""
    return {
        "format": FORMAT,
        "logic": core.LOGIC,
        "rule_hash": core.rule_hash(made).hex(),
        "rules": {
            name: {
                "value": value, "default": default, "unit": unit, "lowest": lowest, "highest": highest,
                "source": source, "reason": reasons.get(name, ""),
            }
            for value, (name, default, unit, lowest, highest, source) in zip(made, TABLE, strict=True)
        },
    }  # fmt: skip


@rules.command("show")
def show_rules(as_json: JsonOption = False) -> None:
    """Show the numbers of this program and the rule sets that were signed here."""
    with open_store(default_paths()) as tx:
        rows = [] if tx is None else rule_sets(tx)
    signed = [
        {"rule_hash": one.rule_hash.hex(), "account": one.account, "at": iso_utc(one.signed_utc_ms)}
        for one in rows
    ]
    data = {**document(core.DEFAULT, {}), "signed": signed}
    lines = table(
        ("RULE", "VALUE", "UNIT", "LOWEST", "HIGHEST", "SOURCE"),
        [
            (name, value, unit, lowest, highest, source)
            for name, value, unit, lowest, highest, source in TABLE
        ],
    )
    lines += ["", f"Hash of these numbers: {data['rule_hash']}"]
    lines += [
        f"Signed: {one['rule_hash']} by {one['account']} at {local_of_iso(one['at'], with_date=True)}"
        for one in signed
    ] or ["No rule set was signed here."]
    show(data, lines, as_json=as_json)


@rules.command()
def export(file: FileArgument) -> None:
    """Write the default numbers to a file. Read it, change numbers with reasons, check it and sign it."""
    if file.exists():
        raise HostAgentError(f"{file} exists already.", "Give another path.")
    try:
        file.write_text(
            json.dumps(document(core.DEFAULT, {}), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
    except OSError as error:
        file.unlink(missing_ok=True)
        raise HostAgentError(f"{file}: cannot be written ({error.strerror}).", "Give another path.") from None
    print(f"{len(TABLE)} numbers written to {file}.")


@rules.command()
def check(file: FileArgument, as_json: JsonOption = False) -> None:
    """Check a rule file. Every number must be there, within bounds, and have a reason where it is not the default."""
    made, values = read_file(file)
    show(_summary(made, values), _lines(file, made, values), as_json=as_json)


@rules.command()
def sign(
    *,
    file: FileArgument,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign a rule file as a clinician. The wearable gets the rules, and its decisions are re-checked with them."""
    made, values = read_file(file)
    paths = default_paths()

    def work(door: Door) -> dict[str, Any]:
        return sign_entry(door, find_signer(paths, account, passphrase_file), "rules", values)

    done = with_or_without_agent(paths, work, "rules sign")
    lines = [*_lines(file, made, values), f"Signed by {done['account']} as entry {done['entry'][:8]}."]
    show(
        {**_summary(made, values), "account": done["account"], "entry": done["entry"]}, lines, as_json=as_json
    )


def read_file(file: Path) -> tuple[core.Rules, dict[str, Any]]:
    """(rules, values of an entry) of a rule file; ConfigError names the number that is wrong."""
    try:
        tree = json.loads(read_text_file(file, typed=True, largest_bytes=_LARGEST_BYTES))
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"{file}: is not JSON ({error}).", "Compare with `cytowatch rules export`."
        ) from None
    if not isinstance(tree, dict) or tree.get("format") != FORMAT or tree.get("logic") != core.LOGIC:
        raise ConfigError(
            f"{file}: is not a rule file of format {FORMAT} and logic {core.LOGIC}.",
            "Start from `cytowatch rules export FILE`.",
        )
    entries = tree.get("rules")
    if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
        raise ConfigError(f"{file}: rules are missing.", "Start from `cytowatch rules export FILE`.")
    known = document(core.DEFAULT, {})["rules"]
    for name, entry in entries.items():
        fixed = known.get(name, {})
        for field in ("default", "unit", "lowest", "highest", "source"):
            if fixed and entry.get(field) != fixed[field]:
                raise ConfigError(
                    f"{file}: rule {name}: a site cannot change {field}.",
                    "Change value and reason only.",
                )
    values = {
        "rules": {name: entry.get("value") for name, entry in entries.items()},
        "reasons": {name: entry["reason"] for name, entry in entries.items() if entry.get("reason")},
    }
    made = rules_of(values)
    if isinstance(made, str):
        raise ConfigError(f"{file}: {made}.", "Bounds and defaults: `cytowatch rules show`.")
    return made, values


def _summary(made: core.Rules, values: dict[str, Any]) -> dict[str, Any]:
    changed = {
        name: {"value": value, "default": default, "reason": values["reasons"].get(name, "")}
        for name, value, default in zip(core.Rules._fields, made, core.DEFAULT, strict=True)
        if value != default
    }
    return {"rule_hash": core.rule_hash(made).hex(), "changed": changed}


def _lines(file: Path, made: core.Rules, values: dict[str, Any]) -> list[str]:
    summary = _summary(made, values)
    lines = [f"{file}: {len(TABLE)} numbers, each within its bounds. Hash: {summary['rule_hash']}"]
    for name, one in summary["changed"].items():
        lines.append(f"  {name}: {one['value']} instead of {one['default']}: {one['reason']}")
    return lines
