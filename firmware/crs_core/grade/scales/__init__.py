"""The scales of the host, one line each; of these a wearable has ASTCT alone, and nothing of this folder."""

from crs_core.grade import astct
from crs_core.grade.scales import cartox, ctcae5, ctcae6, icans, lee2014, mskcc, penn

# of cytokine release syndrome
SCALES = (astct.SCALE, lee2014.SCALE, ctcae5.SCALE, ctcae6.SCALE, penn.SCALE, cartox.SCALE, mskcc.SCALE)
# of neurotoxicity, graded when something neurological was entered
ICANS = icans.SCALE
