"""The forms of the webhook by their name in the configuration. A form is one file here, one line, and its test."""

from collections.abc import Mapping
from typing import Literal

from host_agent.forward.forms import cytowatch, discord, home_assistant, ntfy, pagerduty, slack, teams
from host_agent.forward.forms.form import Form

FormName = Literal[
    "cytowatch", "slack", "teams", "discord", "ntfy", "home-assistant", "pagerduty", "template"
]

FORMS: Mapping[FormName, Form] = {
    "cytowatch": cytowatch.FORM,
    "slack": slack.FORM,
    "teams": teams.FORM,
    "discord": discord.FORM,
    "ntfy": ntfy.FORM,
    "home-assistant": home_assistant.FORM,
    "pagerduty": pagerduty.FORM,
}
"""All but `template`, which is made from its file."""
