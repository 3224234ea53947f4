"""The scales of the host, one line each. Of these a wearable has ASTCT alone, and nothing of this folder.

A scale that lacks something, or that uses the number of another, is refused here, at import, by its name.
"""

from crs_core.grade.scales import registry

_FILES = (
    "astct_paper",
    "lee2014",
    "ctcae5",
    "ctcae6",
    "penn",
    "cartox",
    "mskcc",
    "icans",
)

_REGISTRY = registry.gather([registry.load(name) for name in _FILES])

# name -> registry.Published
PUBLISHED = _REGISTRY.published
# number on the wire -> name
SCALE_NAMES = {one.scale.number: name for name, one in PUBLISHED.items()}
# of cytokine release syndrome, in the order in which they are shown
SCALES = tuple([one.scale for one in PUBLISHED.values() if one.scale.death == "crs"])
# of neurotoxicity, graded when something neurological was entered
ICANS = PUBLISHED["ICANS"].scale
# fact -> parts.EnteredFact: every fact that a scale may read
FACTS = _REGISTRY.facts
# reason code -> sentence, of those that only entries give; the wearable's own are in code_texts
REASON_TEXTS = _REGISTRY.reason_texts
# number of a missing input -> key of the vocabulary, and key -> what it is called: all of them
MISSING_KEYS = _REGISTRY.missing_keys
MISSING_TEXTS = _REGISTRY.missing_texts
