"""ICD-10-CM codes of cytokine release syndrome by its grade. Only what a clinician signed, and what counts, has one."""

CRS_UNSPECIFIED = "D89.839"
CRS_BY_GRADE = {1: "D89.831", 2: "D89.832", 3: "D89.833", 4: "D89.834", 5: "D89.835"}


def code_of(kind: str, scale: str | None, grade: int | None, cause: str | None) -> str | None:
    """The code of a signed `grade` or `death` that counts; None for what is no cytokine release syndrome."""
    if kind == "death":
        return CRS_BY_GRADE[5] if cause == "crs" else None
    if kind != "grade" or scale == "ICANS":
        return None
    return CRS_UNSPECIFIED if grade is None else CRS_BY_GRADE[grade]
