"""Options that several commands share."""

from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
PatientOption = Annotated[
    str | None, typer.Option("--patient", metavar="PSEUDONYM", help="Only what is about this patient.")
]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="ID",
        help="Which wearable, by its id or the start of it. Needed when there are several.",
    ),
]
