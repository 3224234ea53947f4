"""ICANS, the ASTCT grading of neurotoxicity (Lee DW et al. 2019), as data: ICE for adults, CAPD below 12 years.

Nothing a wearable measures is in this table. The worst domain decides; a person excludes other causes and sedation.
"""

from crs_core import codes
from crs_core.grade.scale import Row, make

SCALE = make(
    number=codes.SCALE_ICANS,
    name="ICANS",
    version=2019,
    rows=(
        Row(
            "ICE or CAPD score",
            ("score",),
            ((3, (("score", "severe"),)), (2, (("score", "moderate"),)), (1, (("score", "mild"),))),
            (),
        ),
        Row(
            "consciousness",
            ("consciousness",),
            (
                (4, (("consciousness", "unarousable"),)),
                (3, (("consciousness", "touch"),)),
                (2, (("consciousness", "voice"),)),
            ),
            (),
        ),
        Row("seizure", ("seizure",), ((4, (("seizure", "prolonged"),)), (3, (("seizure", "brief"),))), ()),
        Row("motor weakness", ("motor",), ((4, (("motor", "yes"),)),), ()),
        Row("cerebral oedema", ("oedema",), ((4, (("oedema", "diffuse"),)), (3, (("oedema", "focal"),))), ()),
    ),
    death="icans",
)
