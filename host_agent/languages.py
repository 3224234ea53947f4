"""The languages that messages can have: one for each file in `escalation/words/languages/`.

It stands here because the configuration checks them, too, and knows nothing of escalation.
"""

from pathlib import Path

FOLDER = Path(__file__).parent / "escalation/words/languages"
FIRST = "en"  # every other language is complete beside it, and what one lacks comes in this one
LANGUAGES = tuple(
    sorted((path.stem for path in FOLDER.glob("*.toml")), key=lambda name: (name != FIRST, name))
)
