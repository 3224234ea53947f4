"""Write the JSON Schema of every payload that a receiver gets into host_agent/schema: `make docs`.

`--check` compares instead, and exits 1 with the name of a file that is old. The types are those that the payloads are
made from; a file has the version of its payload in its name, and old versions stay.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from host_agent.forward.event_payload import EventPayload
from host_agent.forward.forms import FORMS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "host_agent/schema"
_VERSIONS = {name: 1 for name in ("event", *FORMS)}


def schemas() -> Iterator[tuple[Path, str]]:
    """(file, its text) of each payload."""
    payloads: dict[str, Any] = {"event": EventPayload}
    payloads |= {name: form.payload for name, form in FORMS.items() if form.payload is not EventPayload}
    for name, payload in payloads.items():
        version = _VERSIONS[name]
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:cytowatch:{name}:{version}",
            **TypeAdapter(payload).json_schema(),
        }
        yield FOLDER / f"{name}-{version}.json", json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(*options: str) -> int:
    """Write, or with --check compare."""
    old = [
        (file, text)
        for file, text in schemas()
        if not file.exists() or file.read_text(encoding="utf-8") != text
    ]
    if "--write" in options:
        for file, text in old:
            file.write_text(text, encoding="utf-8")
        return 0
    for file, _ in old:
        print(f"{file.relative_to(ROOT)} is old: make docs")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
