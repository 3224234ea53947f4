"""Configuration: everything checked, every error names the key, its line and what was expected."""

import re

import pytest

from host_agent.config.example import example, key_rows
from host_agent.config.model import Config, load_config, parse_config
from host_agent.config.problems import line_of
from host_agent.errors import ConfigError
from host_agent.forward.registry import receiver_kinds

HOOK = '[[webhook]]\nname = "ward"\nurl = "https://a.example/x"\nsecret_env = "WARD_SECRET"\n'


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.toml")
    assert caught.value.advice
    return str(caught.value)


def test_empty_file_gives_the_defaults():
    assert parse_config("") == Config()


def test_example_validates_as_printed_and_equals_the_defaults():
    assert parse_config(example()) == Config()


def test_example_names_every_key_with_a_description():
    rows = key_rows()
    assert len(rows) > 15
    for path, takes, default, description in rows:
        assert re.search(rf"(?m)^#? ?{path.split('.')[-1]} = ", example()), path
        assert description and takes and default, path


def test_unknown_key_is_refused_with_line_and_nearest_name():
    text = refusal("[watchdog]\nno_data_yet_s = 100\nstale_sec = 90\n")
    assert "watchdog.stale_sec (line 3): unknown key; did you mean stale_s?" in text
    assert text.startswith("c.toml is refused:")


def test_unknown_table_is_refused_and_the_known_ones_are_listed():
    text = refusal("[zzz]\na = 1\n")
    tables = [
        "agent",
        "ble",
        "contact",
        "escalation",
        "heartbeat",
        "metrics",
        "page",
        "serial",
        "sound",
        "step",
        "store",
        "watchdog",
    ]
    known = sorted([*tables, *receiver_kinds()])
    assert f"zzz (line 1): unknown key; known keys here: {', '.join(known)}" in text


@pytest.mark.parametrize(
    "value, shown", [('"90"', '"90"'), ("5", "5"), ("90.5", "90.5"), ("true", "True"), ("[1]", "[1]")]
)
def test_wrong_type_or_bound_says_what_was_expected_with_unit(value, shown):
    expected = f"watchdog.stale_s (line 2): expected a whole number from 60 to 3600 s, found {shown}"
    assert expected in refusal(f"[watchdog]\nstale_s = {value}\n")


TABLE = HOOK + "\n[[webhook]]\n"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("[watchdog]\nmedium_after_s = 1800\n", "stale_s <= medium_after_s < high_after_s"),
        *((f"{HOOK}timeout_s = {number}\n", "webhook[0].timeout_s (line 5): expected a number from 0.1 to 60 s")
          for number in ("nan", "inf", "-inf")),
        (TABLE + 'name = "Night Desk"\nurl = "https://b.example"\nsecret_env = "B"\n',
         "webhook[1].name (line 7): expected text in quotes matching ^[a-z0-9][a-z0-9-]{0,31}$, found \"Night Desk\""),
        ('[[webhook]]\nname = "a"\nsecret_env = "A"\n',
         "webhook[0] (line 1): expected exactly one of url, url_file and url_env"),
        (HOOK.replace("https", "http"), "expected https://"),
        (HOOK.replace("https", "ftp"), "expected an address such as https://"),
        (HOOK.replace("a.example", "u:pw@a.example"), "without user name or password"),
        (HOOK.replace("a.example", "a.example:99999"), "expected an address such as https://"),
        (HOOK + 'secret_file = "x"\n', "exactly one of secret_file and secret_env"),
        (HOOK.replace('secret_env = "WARD_SECRET"\n', ""), "exactly one of secret_file and secret_env"),
        (HOOK + HOOK, "a different name for each receiver; ward is used 2 times"),
        (HOOK + 'secret = "hunter2hunter2"\n', "unknown key"),
        ("[agent]\nlog_level = \n", "at line 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_key_and_what_was_expected(text, expected):
    refused = refusal(text)
    assert expected in refused and "hunter2" not in refused and "pw@" not in refused


def test_plain_http_is_allowed_to_this_machine_and_on_request():
    assert parse_config(HOOK.replace("https://a.example", "http://127.0.0.1:9")).webhook
    assert parse_config(HOOK.replace("https", "http") + "allow_plain_http = true\n").webhook


def test_file_errors_are_sentences(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "none.toml")
    (tmp_path / "bin.toml").write_bytes(b"\xff\xfa")
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        load_config(tmp_path / "bin.toml")


def test_line_of_falls_back_to_the_table_and_then_to_nothing():
    text = "[a]\nb = 1\n[[c]]\nd = 1\n[[c]]\nd = 2\n"
    assert line_of(text, ("c", 1, "d")) == 6 and line_of(text, ("c", 1, "e")) == 5
    assert line_of(text, ("x",)) is None


@pytest.mark.parametrize(
    "value", ["[" * 100_000, "9" * 5000, "0x" + "f" * 5000, "[0x" + "f" * 5000 + "]", "{ b = " * 100_000]
)
def test_what_no_reader_of_toml_can_take_is_refused_in_words(value):
    assert "c.toml" in refusal(f"[watchdog]\nstale_s = {value}\n")


@pytest.mark.parametrize("text, words", [
    ('url = "http://watch.example.org/x"', "https:// (or allow_plain_http = true"),
    ('url = "https://watch.example.org/x"\nurl_env = "URL"', "at most one of url, url_file and url_env"),
    ('url = "https://watch.example.org/x"\nevery_s = 5', "a whole number from 10 to 3600 s"),
    ('url = "https://watch.example.org/x"\nfail_suffix = "?fail"', "fail_suffix"),
    ('url = "https://watch.example.org/x"\nmethod = "PUT"', 'one of "GET", "POST"'),
    ('url = "https://watch.example.org/x"\nname = "x"', "unknown key"),
    ('url = "https://watch.example.org/x"\n[[desktop]]\nname = "heartbeat"', "a different name for each receiver"),
])  # fmt: skip
def test_a_heartbeat_that_cannot_work_is_refused_with_its_key(text, words):
    assert words in refusal(f"[heartbeat]\n{text}\n")


def test_the_files_of_the_heartbeat_count_from_the_folder_of_the_configuration(tmp_path):
    found = parse_config('[heartbeat]\nurl_file = "u.secret"\n', "config.toml", tmp_path).heartbeat
    assert (
        found.url_file == str(tmp_path / "u.secret") and found.is_on and not parse_config("").heartbeat.is_on
    )


@pytest.mark.parametrize("listen", [
    "9469", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", "host:9469", ":9469",
    "127.0.0.1:99999999999", "0.0.0.0:9469", "10.0.0.1:9469", "[::]:9469",
])  # fmt: skip
def test_a_place_for_metrics_that_cannot_work_or_that_others_reach_is_refused(listen):
    assert "listen" in refusal(f'[metrics]\nlisten = "{listen}"\n')


def test_a_place_for_metrics_may_be_of_both_families_and_on_a_network_when_somebody_says_so():
    for text, place in (
        ('listen = "127.0.0.1:9469"', ("127.0.0.1", 9469)), ('listen = "[::1]:1"', ("::1", 1)),
        ('listen = "10.0.0.1:9469"\nallow_network = true', ("10.0.0.1", 9469)),
    ):  # fmt: skip
        assert parse_config(f"[metrics]\n{text}\n").metrics.place == place
    assert parse_config("").metrics.place is None
