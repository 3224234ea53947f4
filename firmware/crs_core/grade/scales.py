"""The scales in use: one line each."""

from crs_core.grade import astct

SCALES = (astct.SCALE,)
