"""The page of the bedside laptop: where it listens."""

from pydantic import BaseModel, ConfigDict, Field


class PageSection(BaseModel):
    """The page on this laptop. It listens on this laptop alone: no other machine can open it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    enabled: bool = Field(
        default=True, description="Serve the page while the agent runs: `cytowatch page` opens it."
    )
    port: int = Field(
        default=8484, ge=1024, le=65535,
        description="Port of 127.0.0.1. Choose another one when another program has it.",
    )  # fmt: skip
    sign_in_min: int = Field(
        default=10, ge=1, le=60,
        description="How long somebody who typed a passphrase may sign entries on the page without typing it again.",
        json_schema_extra={"unit": "min"},
    )  # fmt: skip
