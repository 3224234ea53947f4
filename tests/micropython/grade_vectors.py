"""Grade every case of the vector file on this interpreter; exit 1 at the first that differs."""

import json
import sys

from crs_core.grade import case

with open(sys.argv[1]) as file:
    vectors = json.load(file)
for vector in vectors:
    answer = case.assess(vector["inputs"])
    grade = answer["grades"]["ASTCT"]
    alarms = ["%s:%s" % (alarm["name"], alarm["priority"]) for alarm in answer["alarms"]]
    told = [grade["lower"], grade["upper"], answer["fever"], alarms, grade["ambiguous"]]
    if told != [vector[key] for key in ("lower", "upper", "fever", "alarms", "ambiguous")]:
        print(vector["id"], told)
        sys.exit(1)
    if "missing" in vector and grade["missing"] != vector["missing"]:
        print(vector["id"], grade["missing"])
        sys.exit(1)
print("checked", len(vectors))
