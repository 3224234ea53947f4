"""`report summary`: the file it writes, and what it refuses."""

import json
import stat

import pytest

from host_agent.terminal import exits
from tests.host.cli.people_cli import run
from tests.host.paper.report_world import text_of
from tests.host.people.people_world import MIN_MS


@pytest.fixture
def home(one_patient):
    one_patient.rows.reading(3702, 970, 84, ago_ms=MIN_MS)
    one_patient.store.close()
    (one_patient.home / "c.db").rename(one_patient.home / "cytowatch.db")
    return one_patient.home


def test_a_pdf_that_only_this_user_can_read_is_written_once(home, tmp_path):
    file = tmp_path / "page.pdf"
    done = run(home, "report", "summary", "--out", str(file))
    assert done.returncode == 0 and done.stdout.startswith(f"{file}: one page about P-1, the last 1 d.")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    pages, text = text_of(file.read_bytes())
    assert pages == 1 and "P-1" in text and "37.02 °C (98.6 °F) axilla" in text
    again = run(home, "report", "summary", "--out", str(file))
    assert again.returncode == exits.USAGE and "exists already; nothing was written" in again.stderr


def test_without_a_name_patient_and_time_make_it(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(home, "report", "summary", "--last", "6h", "--json")
    data = json.loads(done.stdout)
    assert [data["file"]] == [one.name for one in tmp_path.glob("*.pdf")]
    assert data["file"].startswith("cytowatch-P-1-20") and data["summary"]["patient"] == "P-1"


@pytest.mark.parametrize("last", ["5m", "15d", "0h", "x", "-1h", "24"])
def test_a_span_that_no_page_shows_is_refused_with_what_to_write(home, last):
    done = run(home, "report", "summary", "--last", last)
    assert done.returncode == exits.USAGE and "--last: expected" in done.stderr and not done.stdout


def test_nobody_bound_and_a_place_where_nothing_can_be_written(home, tmp_path):
    done = run(home, "report", "summary", "--device", "fe")
    assert (
        done.returncode == exits.NO_DATA
        and "No patient is bound to a wearable whose id starts with fe" in done.stderr
    )
    done = run(tmp_path / "empty", "report", "summary", "--json")
    assert done.returncode == exits.NO_DATA and json.loads(done.stdout) == {"file": None, "summary": None}
    done = run(home, "report", "summary", "--out", str(tmp_path / "no" / "page.pdf"))
    assert done.returncode == exits.USAGE and "cannot be written: No such file or directory" in done.stderr
