"""Grade every case of the vector file on every scale on this interpreter; exit 1 at the first that differs."""

import json
import sys

from crs_core.grade import case

with open(sys.argv[1]) as file:
    vectors = json.load(file)
for vector in vectors:
    grades = case.assess(vector["inputs"])["grades"]
    told = {name: [grades[name]["lower"], grades[name]["upper"]] for name in grades}
    ambiguous = [name for name in grades if grades[name]["ambiguous"]]
    if told != vector["expected"] or sorted(ambiguous) != sorted(vector["ambiguous"]):
        print(vector["id"], told, ambiguous)
        sys.exit(1)
print("checked", len(vectors))
