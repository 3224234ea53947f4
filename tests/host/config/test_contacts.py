"""Contacts and steps: a plan by which an alarm could fail to reach people is refused, with its exact key."""

import re
from pathlib import Path

import pytest

from host_agent.config.example import example
from host_agent.config.model import parse_config
from host_agent.errors import ConfigError

ROOT = Path(__file__).parents[3]


def hook(name, url=None):
    return f'[[webhook]]\nname = "{name}"\nurl = "{url or f"https://a.example/{name}"}"\nsecret_env = "S"\n'


def contact(name, channels, more="", role="nurse"):
    listed = ", ".join(f'"{one}"' for one in channels.split())
    return f'[[contact]]\nname = "{name}"\nrole = "{role}"\nchannels = [{listed}]\n{more}'


def step(contacts, more=""):
    listed = ", ".join(f'"{one}"' for one in contacts.split())
    return f"[[step]]\ncontacts = [{listed}]\n{more}"


HOOKS = hook("ward") + hook("a") + hook("b") + hook("a2", "HTTPS://A.example:443/a/")
TWO = HOOKS + contact("ann", "a", role="caregiver") + contact("ben", "b")


def refusal(text):
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.toml")
    return str(caught.value)


def test_a_good_plan_is_taken():
    text = TWO + step("ann", "repeat_s = 60\nrepeats = 2\n") + step("ben", "after_s = 240\n")
    config = parse_config(text)
    assert [one.name for one in config.contact] == ["ann", "ben"] and config.step[1].after_s == 240


def test_the_example_shows_contacts_steps_and_their_times():
    text = example()
    for line in ("#[[contact]]", "#[[step]]", "[escalation]", "#quiet_holds = ", "accept_within_s = 600"):
        assert f"\n{line}" in text, line
    tables = text[text.index("#[[contact]]") :]
    switched_on = re.sub(r"(?m)^#(?=\[\[|[a-z_]+ = )", "", tables)
    assert parse_config(switched_on).contact[0].name == "nurse-1"


@pytest.mark.parametrize(
    "text, expected",
    [
        (HOOKS + contact("ann", "a"), "contact[0] (line 17): expected a [[step]] as well; without one no contact"),
        (HOOKS + step("ann"), "step[0].contacts (line 18): expected names of contacts; there is no contact ann"),
        (HOOKS + contact("ann", "") + step("ann"), "contact[0].channels (line 20): expected at least one receiver"),
        (HOOKS + contact("ann", "warrd") + step("ann"), "there is no receiver warrd; did you mean ward?"),
        (contact("ann", "ward") + step("ann"), "there is no receiver ward; there is none at all"),
        (HOOKS + contact("ann", "a a") + step("ann"), "contact[0].channels (line 20): expected a receiver of its own"),
        (HOOKS + contact("ann", "a") + contact("ben", "a") + step("ann ben"),
         "contact[1].channels (line 24): expected a receiver of its own for each contact; a: ann has it"),
        (HOOKS + contact("ann", "a") + contact("ben", "a2") + step("ann ben"),
         "contact[1].channels (line 24): expected an address of its own for each contact; a2 reaches the same place as"
         " a of ann"),
        (HOOKS + contact("ann", "a") + contact("ann", "b") + step("ann"),
         "contact[1].name (line 22): expected another name for each contact; ann is used twice"),
        (HOOKS + contact("ann", "a") + contact("ben", "b") + step("ann"),
         "contact[1].name (line 22): expected a contact that a [[step]] names; ben is never told"),
        (HOOKS + contact("ann", "a", 'quiet_from = "22:00"\n') + step("ann"), "contact[0].quiet_until (line 17)"),
        (HOOKS + contact("ann", "a", 'quiet_until = "22:00"\n') + step("ann"), "contact[0].quiet_from (line 17)"),
        (HOOKS + contact("ann", "a", 'quiet_from = "22:00"\nquiet_until = "22:00"\n') + step("ann"),
         "contact[0].quiet_until (line 22): expected another time than quiet_from"),
        (HOOKS + contact("ann", "a", 'quiet_from = "24:00"\n') + step("ann"), "contact[0].quiet_from (line 21)"),
        (HOOKS + contact("ann", "a", 'quiet_holds = "HIGH"\n') + step("ann"),
         'contact[0].quiet_holds (line 21): expected one of "LOW", found "HIGH"'),
        (HOOKS + contact("ann", "a", 'quiet_holds = "MEDIUM"\n') + step("ann"), "contact[0].quiet_holds (line 21)"),
        (HOOKS + contact("ann", "a", role="doctor") + step("ann"), "contact[0].role (line 19)"),
        (HOOKS + contact("ann", "a", role="patient") + step("ann"),
         "step[0].contacts (line 22): expected a caregiver, nurse or on_call in one step for HIGH alarms"),
        (TWO + step("ann ben") + step(""), "step[1].contacts (line 28): expected at least one contact"),
        (TWO + step("ann ben ann"), "step[0].contacts (line 26): expected each contact once; ann is there 2 times"),
        (TWO + step("ann bem ben"), "there is no contact bem; did you mean ben?"),
        (TWO + step("ann ben", "repeats = 3\n"), "step[0].repeat_s (line 25): expected the pause between the repeats"),
        (TWO + step("ann ben", "repeat_s = 30\n"), "step[0].repeats (line 25): expected how often to repeat"),
        (TWO + step("ann ben", "after_s = 30\n"), "step[0].after_s (line 27): expected 0 in the first step; a HIGH"),
        (TWO + step("ann") + step("ben", "after_s = 600\n"),
         "step[1].after_s (line 29): expected a time before escalation.accept_within_s (600 s)"),
        (TWO + step("ann ben", "repeat_s = 120\nrepeats = 5\n"),
         "step[0].repeats (line 28): expected fewer or faster repeats: the last one comes at 600 s"),
        (TWO + "[escalation]\nmedium_to_high_s = 300\n" + step("ann") + step("ben", "after_s = 300\n"),
         "step[1].after_s (line 31): expected a time before escalation.medium_to_high_s (300 s)"),
        (TWO + step("ann ben", 'least = "HIGH"\n'), "step[0].least (line 27): expected LOW or MEDIUM in one step"),
        (TWO + step("ann", 'least = "HIGH"\n') + step("ben", "after_s = 60\n"),
         "step[1].after_s (line 30): expected 0 in the first step; a MEDIUM alarm must not wait"),
        ("[escalation]\naccept_within_s = 5\n", "escalation.accept_within_s (line 2)"),
        (TWO + step("ann ben", "affter_s = 3\n"), "step[0].affter_s (line 27): unknown key; did you mean after_s?"),
        (TWO + step("ann ben", "after_s = -1\n"), "step[0].after_s (line 27)"),
    ],
)  # fmt: skip
def test_a_plan_that_could_reach_nobody_is_refused_with_its_key(text, expected):
    assert expected in refusal(text)


def test_every_wrong_key_is_told_at_once():
    said = refusal(HOOKS + contact("ann", "x") + contact("ben", "") + step("cid"))
    assert [key for key in ("contact[0].channels", "contact[1].channels", "step[0].contacts") if key in said] == [
        "contact[0].channels", "contact[1].channels", "step[0].contacts"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "table",
    [
        '[[syslog]]\nname = "x"\n',
        '[[fhir]]\nname = "x"\nurl = "https://f.example/r4"\npatient_system = "https://f.example/p"\n',
    ],
)
@pytest.mark.parametrize("channels", ["x", "a x"])
def test_a_log_or_a_record_is_no_way_to_a_person(table, channels):
    said = refusal(HOOKS + table + contact("ann", channels) + step("ann"))
    assert "contact[0].channels" in said and "it tells nobody" in said


BROKER = '[[mqtt]]\nname = "broker"\nhost = "127.0.0.1"\n'


@pytest.mark.parametrize(
    "text, reaching",
    [
        ("", ()),
        ('[[syslog]]\nname = "x"\n' + BROKER, ()),
        (hook("a") + BROKER, ("a",)),
        (hook("a") + BROKER + contact("ann", "broker") + step("ann"), ("broker",)),
    ],
)
def test_it_is_known_which_receivers_reach_a_person(text, reaching):
    assert parse_config(text).reaching == reaching


def test_the_plan_of_the_guide_is_taken_as_it_stands_there():
    guide = (ROOT / "host_agent/README.md").read_text()
    (plan,) = re.findall(r"```toml\n(\[\[contact\]\].*?)```", guide, re.DOTALL)
    config = parse_config(hook("carer-phone") + hook("ward") + plan)
    assert config.reaching == ("carer-phone", "ward") and len(config.step) == 2


def test_one_person_may_have_two_channels_at_one_address():
    assert parse_config(HOOKS + contact("ann", "a a2") + step("ann")).contact


def test_other_paths_and_ports_are_other_addresses():
    hooks = (
        hook("p", "https://a.example/A")
        + hook("q", "https://a.example/a")
        + hook("r", "https://a.example:444/a")
    )
    people = contact("ann", "p") + contact("ben", "q") + contact("cid", "r")
    assert len(parse_config(hooks + people + step("ann ben cid")).contact) == 3


def mail(name, *recipients):
    listed = ", ".join(f'"{one}"' for one in recipients)
    return f'[[mail]]\nname = "{name}"\nserver = "mail.example"\nsender = "a@x.example"\nrecipients = [{listed}]\n'


def test_two_mail_receivers_that_share_one_recipient_are_one_address_and_others_are_not():
    people = contact("ann", "m") + contact("ben", "n") + step("ann ben")
    both = mail("m", "ann@x.example", "desk@x.example") + mail("n", "Desk@X.example") + people
    assert "n reaches the same place as m of ann" in refusal(both)
    assert parse_config(mail("m", "ann@x.example") + mail("n", "ben@x.example") + people).contact


def test_one_paging_service_reaches_two_people_by_their_tokens():
    page = "https://page.example/v2"
    hooks = [hook(name, page) + f'token_env = "{name.upper()}"\n' for name in ("p", "q")]
    assert parse_config("".join(hooks) + contact("ann", "p") + contact("ben", "q") + step("ann ben")).contact
