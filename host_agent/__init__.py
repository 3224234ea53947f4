"""The host agent of CytoWatch: it runs on the bedside laptop."""

NOTICE = "Research prototype, not a medical device."
