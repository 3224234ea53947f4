"""Where each cell of each table is published, in the project's own words, and what each scale leaves to people.

Only documents and tests read this. Keyed by scale name, row name and grade; `cite` puts it together.
"""

# mypy: disable-error-code="type-arg, no-any-return"

# scale -> where its table was published
PAPERS = {
    "ASTCT": "Lee DW et al., Biol Blood Marrow Transplant 2019;25:625-638",
    "Lee14": "Lee DW et al., Blood 2014;124:188-195",
    "v5": "NCI CTCAE version 5.0, November 2017, term Cytokine release syndrome (MedDRA 10052015)",
    "v6": "NCI CTCAE version 6.0, 2025, term Cytokine release syndrome (MedDRA 10052015)",
    "Penn": "Porter D et al., J Hematol Oncol 2018;11:35",
    "CARTOX": "Neelapu SS et al., Nat Rev Clin Oncol 2018;15:47-62",
    "MSKCC": "Park JH et al., N Engl J Med 2018;378:449-459",
    "ICANS": "Lee DW et al., Biol Blood Marrow Transplant 2019;25:625-638, neurotoxicity",
}

_FEVER = {1: "fever of 38.0 °C or above"}
_SYMPTOMS = {1: "mild: treatment of symptoms only, such as fever, malaise or headache"}
_FIO2 = {
    2: "oxygen below 40 %",
    3: "oxygen of 40 % or above",
    4: "ventilator",
}
_CTCAE_PRESSURE = {
    2: "hypotension that answers to fluids",
    3: "hypotension managed with one vasopressor",
    4: "life-threatening consequences: read as two or more vasopressors",
}
_DOSE = {
    2: "hypotension that answers to fluids or to one vasopressor at a low dose",
    3: "a high dose or several vasopressors",
}
_ORGAN = {
    2: "organ toxicity of grade 2",
    3: "organ toxicity of grade 3",
    4: "organ toxicity of grade 4, transaminases apart",
}

# scale -> row -> grade -> what the cell says
CELLS = {
    "ASTCT": {
        "fever": {1: "fever of 38.0 °C or above, not attributed to another cause"},
        "hypotension": {
            2: "hypotension that needs no vasopressor",
            3: "needs one vasopressor, with or without vasopressin",
            4: "needs several vasopressors, vasopressin not counted",
        },
        "hypoxia": {
            2: "low-flow nasal cannula (up to 6 L/min) or blow-by",
            3: "high-flow nasal cannula, face mask, non-rebreather or Venturi mask",
            4: "positive pressure: CPAP, BiPAP, intubation and ventilation",
        },
    },
    "Lee14": {
        "symptoms": _SYMPTOMS,
        "hypotension": _DOSE,
        "hypoxia": _FIO2,
        "organ toxicity": _ORGAN,
        "transaminases": {3: "transaminases of grade 4"},
    },
    "v5": {"fever": _FEVER, "hypotension": _CTCAE_PRESSURE, "hypoxia": _FIO2},
    "v6": {
        "fever": _FEVER,
        "hypotension": _CTCAE_PRESSURE,
        "hypoxia": {
            2: "low-flow nasal cannula or blow-by",
            3: "high-flow cannula, face mask, non-rebreather or Venturi mask",
            4: "life-threatening consequences: read as positive pressure",
        },
    },
    "Penn": {
        "symptoms": _SYMPTOMS,
        "hospital": {2: "in hospital to manage symptoms of the syndrome"},
        "creatinine": {2: "creatinine of grade 2", 3: "creatinine of grade 3; the table stops there"},
        "transaminases": {2: "liver tests of grade 3", 3: "liver tests of grade 4"},
        "coagulopathy": {3: "coagulopathy that needs plasma, cryoprecipitate or fibrinogen"},
        "hypotension and fluids": {3: "hypotension treated with several fluid boluses"},
        "vasopressors": {3: "low-dose vasopressor", 4: "high-dose vasopressor"},
        "hypoxia": {3: "any supplemental oxygen, CPAP and BiPAP too", 4: "mechanical ventilation"},
    },
    "CARTOX": {
        "fever": _FEVER,
        "hypotension": _DOSE,
        "hypoxia": _FIO2,
        "organ toxicity": {
            1: "organ toxicity of grade 1",
            2: "organ toxicity of grade 2",
            3: "organ toxicity of grade 3",
            4: "organ toxicity of grade 4, transaminases apart",
        },
        "transaminases": {3: "transaminases of grade 4"},
    },
    "MSKCC": {
        "symptoms": _SYMPTOMS,
        "vasopressors": {2: "any vasopressor for less than 24 h", 3: "any vasopressor for 24 h or longer"},
        "refractory hypotension": {4: "hypotension refractory to high-dose vasopressor"},
        "hypoxia": _FIO2,
    },
    "ICANS": {
        "ICE or CAPD score": {
            1: "ICE 7 to 9, or CAPD 1 to 8",
            2: "ICE 3 to 6",
            3: "ICE 0 to 2, or CAPD 9 or above",
        },
        "consciousness": {
            2: "awakens to voice",
            3: "awakens only to touch",
            4: "unarousable, or stupor or coma",
        },
        "seizure": {
            3: "any seizure that ends rapidly, or a non-convulsive one that ends with treatment",
            4: "longer than 5 min, or repeated without return to baseline",
        },
        "motor weakness": {4: "deep focal motor weakness"},
        "cerebral oedema": {
            3: "focal oedema on imaging",
            4: "diffuse oedema, posturing, sixth nerve palsy, papilloedema or Cushing's triad",
        },
    },
}

# scale -> what stays a person's judgement
LEAVES = {
    "ASTCT": (
        "People judge whether the fever has another cause, what hypotension is for this patient, and whether positive "
        "pressure is given for hypoxia. Vasopressin alone is in no cell: it is read as one vasopressor, and as none in "
        "the other reading."
    ),
    "Lee14": (
        "People grade organ toxicity by CTCAE, judge whether the dose is high by the paper's own table, and whether "
        "hypotension answers to what was given."
    ),
    "v5": (
        "People judge what else is life-threatening: the table gives grade 4 no sign of its own. Constitutional "
        "symptoms without fever are not read; organ toxicity is reported under its own terms."
    ),
    "v6": (
        "People judge what else is life-threatening: the table gives grade 4 no sign of its own. Constitutional "
        "symptoms without fever are not read; organ toxicity is reported under its own terms."
    ),
    "Penn": (
        "People judge whether the stay in hospital is for the syndrome and whether a dose is high. Hypotension with "
        "neither several boluses nor a vasopressor is in no cell, nor is organ toxicity other than these."
    ),
    "CARTOX": (
        "People grade organ toxicity by CTCAE and judge whether the dose is high; hypotension that is life-threatening "
        "without more being said is theirs to see. Children below 12 years have a guide of their own, not graded here."
    ),
    "MSKCC": (
        "People judge whether hypotension is refractory. Hypotension without a vasopressor is in no cell; organ "
        "toxicity is not read."
    ),
    "ICANS": (
        "Everything: people score ICE or CAPD, see seizure, weakness and imaging, and leave out what sedation or "
        "another cause explains. Tremor, myoclonus and intracranial haemorrhage are not counted."
    ),
}


def cite(scale: str, row: str, grade: int) -> str:
    """One line that names the paper, the row, the column and what stands there; KeyError where nothing is published."""
    return "%s; row %s, grade %d: %s" % (PAPERS[scale], row, grade, CELLS[scale][row][grade])
