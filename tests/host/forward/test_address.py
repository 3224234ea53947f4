"""Addresses of receivers: what can never work is refused by name, and what may be secret in one is never shown."""

import json

import pytest

from host_agent.config.model import parse_config
from host_agent.errors import ConfigError
from host_agent.forward.address import check_address
from host_agent.text import without_secrets

GOOD = [
    "https://a.example/x", "HTTPS://A.example", "https://a_b.example:8443/hook?x=1", "https://münchen.example/ü",
    "http://[::1]:9/x", "https://192.0.2.1/", "http://localhost./x", "https://xn--mnchen-3ya.example/", "https://a:/x",
    "http://[fe80::1%eth0]/x", "http://[fe80::1%4]:8080/x", "http://0.0.0.0:9/", "http://[::]:9/", "https://169.254.1.1/",
    "https://100.64.0.1/", "https://[2001:db8::1]/x", "http://[::ffff:192.0.2.1]/", "https://ward.local/", "https://a/%zz",
    "https://a/?b=%", "https://a.example/x?y=%23z",
]  # fmt: skip
BAD = {
    "https://a\u200b.example/x": "U+200B", "https://a.example\t/x": "U+0009", " https://a": "U+0020",
    "https://a.example/\n": "U+000A", "https://a.example/\u202e": "U+202E", "https://a.b/\x7f": "U+007F",
    "https://a.example/“x”": "U+201C", "\ufeffhttps://a.example": "U+FEFF", "https://a.b/\\x": "U+005C",
    "https://a.b/\ud800": "U+D800", "https://a\u00a0b.example": "U+00A0", "https://ex\u00adample.com": "U+00AD",
    "https://a.b/\u3164": "U+3164", "https://a.b/x\ufe0f": "U+FE0F", "https://a.b/\u2800": "U+2800",
    "": "nothing", "https://": "missing", "https:///x": "missing", "https://?x": "missing",
    "https://a:0/": "port", "https://a:65536/": "port", "https://a:x/": "port", "https://a:-1/": "port",
    "https://::1/x": "brackets", "https://[::1/": "brackets", "https://[zz]/": "brackets",
    "ftp://a/": "begin with", "https:/a": "begin with", "//a/x": "begin with", "a.example/x": "begin with",
    "https//a": "begin with", "file:///etc/passwd": "begin with",
    "https://user@a/": "user name", "https://:pw@a/": "user name", "https://@a/": "user name",
    "https://a..b/": "parts", "https://-a.b/": "parts", "https://a-.b/": "parts", "https://a,b/": "parts",
    f"https://{'a' * 64}.b/": "parts", f"https://{'a.' * 127}bc/": "parts", "https://*/": "parts",
    "https://1.2.3/": "IPv4", "https://999.1.1.1/": "IPv4", "https://0x7f.1/": "IPv4", "https://xn--zzzzzzzzzz99999999/":
    "international",
    "https://[fe80::1%25eth0]/": "%eth0", "http://[fe80::1%25eth0]/": "%eth0", "https://[fe80::1%eth0]/": "card",
    "https://[fe80::1]/": "network card", "http://[fe80::1]:9/": "network card", "https://[ff02::1]/": "no single",
    "https://224.0.0.1/": "no single", "https://255.255.255.255/": "no single", "https://240.0.0.1/": "no single",
    "https://0.1.2.3/": "no single", "http://[::ffff:224.0.0.1]/": "single", "https://[::ffff:192.0.2.1]/": "192.0.2.1",
    "https://localhost./x": "dot", "https://a.example.:8443/": "dot", "https://ward.invalid/": "no name server",
    "https://abc.onion/x": "no name server", "https://a.example/#/hooks/1": "behind #",
}  # fmt: skip


@pytest.mark.parametrize("address", GOOD)
def test_an_address_that_can_work_is_taken_as_it_is(address):
    assert check_address(address) == address


@pytest.mark.parametrize("address", BAD)
def test_an_address_that_can_never_work_is_refused_with_what_to_mend(address):
    with pytest.raises(ValueError, match="address") as caught:
        check_address(address)
    assert BAD[address] in str(caught.value)


def test_the_configuration_names_the_key_and_its_line():
    text = '[[webhook]]\nname = "a"\nurl = "https://a\u200b.example/s3cret"\nsecret_env = "A"\n'
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.toml")
    assert "webhook[0].url (line 3): expected an address" in str(caught.value)
    assert "U+200B" in str(caught.value) and "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "text, shown",
    [
        ("not reached: https://u:p@h.example/x?token=abc (boom)", "not reached: https://h.example/… (boom)"),
        ("https://hooks.chat.example/services/T0/B0/XXXX", "https://hooks.chat.example/…"),
        ("https://chat.example/hook/onlyletters", "https://chat.example/…"),
        ("https://user:pa/ss@host/x", "https://…"), ("https://user:p@ss@host/t0", "https://host/…"),
        ("https://h?token=1#x", "https://h/…"), ("see http://127.0.0.1:8080/hook.", "see http://127.0.0.1:8080/hook."),
        ("mqtts://u:p@broker:8883/t0pic", "mqtts://broker:8883/…"), ("https://[::1]:9/t0", "https://[::1]:9/…"),
        ("https:\\/\\/h.example\\/t0ken", "https://h.example/…"), ("no address: a/b?c=d", "no address: a/b?c=d"),
    ],
)  # fmt: skip
def test_what_may_be_secret_in_an_address_is_never_shown(text, shown):
    assert without_secrets(text) == shown


def test_a_wrong_value_that_holds_an_address_is_shown_without_its_secret():
    for value in (
        '["https://h.example/t0ken"]',
        '{ a = "https://h.example/t0ken" }',
        '"https://u:t0ken@h.example/"',
    ):
        with pytest.raises(ConfigError) as caught:
            parse_config(f'[[webhook]]\nname = "a"\nurl = {value}\nsecret_env = "A"\n')
        assert "t0ken" not in str(caught.value)
    assert "t0ken" not in without_secrets(json.dumps({"url": "https://h.example/t0ken"}))
