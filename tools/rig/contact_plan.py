"""A site's plan with a caregiver, a nurse and a doctor on call, as a configuration."""

PLAN_TOML = (
    "".join(
        f'[[webhook]]\nname = "{name}"\nurl = "https://a.example/{name}"\nsecret_env = "S"\n'
        for name in ("ward", "carer-phone", "nurse-phone", "nurse-pager", "doctor-phone")
    )
    + """
[[contact]]
name = "carer"
role = "caregiver"
channels = ["carer-phone"]
quiet_from = "22:00"
quiet_until = "07:00"

[[contact]]
name = "nurse-1"
role = "nurse"
channels = ["nurse-phone", "nurse-pager"]

[[contact]]
name = "doctor-1"
role = "on_call"
channels = ["doctor-phone"]

[[step]]
contacts = ["carer"]
repeat_s = 60
repeats = 2

[[step]]
after_s = 240
contacts = ["nurse-1", "carer"]

[[step]]
after_s = 420
contacts = ["doctor-1"]
least = "MEDIUM"
"""
)
