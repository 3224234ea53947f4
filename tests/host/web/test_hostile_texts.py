"""No text that a wearable, a person or a file can bring changes the structure of a page: it stays text."""

import random
from html.parser import HTMLParser

import pytest

from host_agent.web.entering import GROUPS
from host_agent.web.frame import FOLDER, Frame

PIECES = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</p></div><iframe src=//x>", '" onmouseover="x',
    "' autofocus onfocus='x", "<!--", "-->", "]]>", "&lt;script&gt;", "&#x3c;b&#x3e;", "{{ 7*7 }}", "{% raw %}",
    "${7*7}", "javascript:alert(1)",
    "<svg/onload=alert(1)>", "\u202eabc", "\x00", "\x1b[2J", "\ud800", "a" * 500, "<", ">", "&",
    '"', "'", "`", "=", "/", "</script>", "</title>", "</select><option>", "\n\n", "\r", "ä€😀",
    "<a href=javascript:x>",
)  # fmt: skip


class Shape(HTMLParser):
    """The tags of a page with the names of their attributes, and the values of attributes that a browser acts on."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        for name, value in attrs:
            if name in ("href", "src", "action"):
                self.tags.append(
                    (name, (value or "").split(":")[0] in ("tel",) or (value or "").startswith(("/", "?")))
                )

    def handle_endtag(self, tag):
        self.tags.append(("/", tag))

    def handle_comment(self, data):
        self.tags.append(("comment",))


def shape(html):
    parser = Shape()
    parser.feed(html)
    parser.close()
    return parser.tags


def alarm(text):
    return {
        "name": text, "priority": "HIGH", "level": 3, "text": text, "sound": text, "simulated": True, "about": text,
        "call": text, "device_id": "c0", "number": 4, "accepted": {"who": text}, "silenced": {"who": text},
    }  # fmt: skip


def pages(text):
    """Every template with `text` in every place that is not this program's own."""
    wearable = {
        "device_id": "c0", "name": text, "simulated": True, "about": text, "day": text, "is_bound": True,
        "binding_id": text, "broken": text,
        "state_word": "measuring", "state": text, "patient_text": text,
        "values": [{"name": "Temperature", "value": text, "detail": text}], "grade": text, "grades": [text],
        "due": text,
        "missed": text, "signed": [text], "battery": text, "call": text, "care_team": text, "emergency": text,
        "waiting": 1, "dropped": 0,
    }  # fmt: skip
    state = {
        "now": text, "clock": text, "simulated": True, "problems": [text], "alarms": [alarm(text)],
        "wearables": [wearable], "told": [{"receiver": text, "counts": text, "error": text}],
    }  # fmt: skip
    shared = {
        "notice": text, "signed_in": "", "signed_in_left": text, "accounts": [text, text], "nobody": text,
        "wrong": text,
    }  # fmt: skip
    row = {"text": text, "priority": "HIGH", "level": 3}
    form = dict.fromkeys((field.name for group in GROUPS for field in group.fields), text) | {"ago": text}
    wrong = dict.fromkeys((*form, "ago"), text)
    course = {
        "patient": text, "simulated": True, "spans": ["6h"], "span": "6h", "device_id": "c0", "bucket_s": 300,
        "hours": [{"hour": text, "temperature": text, "spo2": text}], "events": [{"at": text, "text": text}],
        "left_out": [text],
    }  # fmt: skip
    return {
        "page.html": {**shared, **state}, "said.html": {**shared, "title": text, "lines": (text, "x")},
        "alarm.html": {**shared, "row": row, "act": "accept", "minutes_max": 10, "note": text},
        "enter.html": {
            **shared, "wearable": wearable, "groups": GROUPS, "form": form, "wrong_fields": wrong, "number": text,
        },
        "trend.html": {**shared, **course},
    }  # fmt: skip


@pytest.fixture(scope="module")
def frame():
    return Frame(signing_in=None, boot="b", cookie="c")


def test_every_template_is_tried(frame):
    whole = {path.name for path in (FOLDER / "templates").iterdir() if not path.name.startswith("_")}
    assert whole - {"base.html"} == set(pages("x"))


def test_ten_thousand_hostile_texts_stay_text(frame):
    dice = random.Random(15)
    plain = {name: shape(frame.render(name, values)) for name, values in pages("plain text").items()}
    assert all(len(tags) > 10 for tags in plain.values())
    for _ in range(2000):  # in each of five pages
        text = "".join(dice.choices(PIECES, k=dice.randrange(1, 5)))
        for name, values in pages(text).items():
            html = frame.render(name, values)
            assert shape(html) == plain[name], (name, text)
            assert not any(character in html for character in "\x00\x1b\u202e"), (name, text)


def test_the_oracle_sees_a_text_that_is_not_escaped(frame):
    plain = shape("<p>x</p>")
    assert shape("<p><script>alert(1)</script></p>") != plain and shape('<p onclick="x">x</p>') != plain
