"""The sound of the bedside laptop."""

from pydantic import BaseModel, ConfigDict, Field


class SoundSection(BaseModel):
    """The alarm sounds of this laptop. The wearable sounds by itself and asks nothing of this."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    enabled: bool = Field(
        default=True,
        description="Sound while an alarm stands that nobody has accepted or silenced. A laptop that cannot be heard is"
        " an alarm itself: NO_SOUND.",
    )
    simulated: bool = Field(default=False, description="Sound for simulated wearables too.")
    volume: int = Field(
        default=80, ge=20, le=100, description="Loudness, on top of the laptop's own volume.",
        json_schema_extra={"unit": "%"},
    )  # fmt: skip
