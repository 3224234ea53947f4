"""Options that several commands share."""

from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device", metavar="ID", help="Which wearable, by (the start of) its id, when there are several."
    ),
]
