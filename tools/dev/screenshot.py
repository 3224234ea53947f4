"""A picture of the page as a browser shows it: `python -m tools.dev.screenshot ADDRESS FILE.png [--wait-for CSS]`.

ADDRESS is what `cytowatch page --no-browser` or a running demonstration prints. --wait-for waits until such an element
is there, for example `.alarm.high`. Needs Chromium.
"""

import argparse
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

_WIDTH, _HEIGHT = 1280, 900
_PATIENCE_MS = 300_000


def main() -> int:
    """Exit 0 with the file written; 1 when there is no browser or the page does not come."""
    parser = argparse.ArgumentParser(prog="python -m tools.dev.screenshot", description=__doc__)
    parser.add_argument("address")
    parser.add_argument("file", type=Path)
    parser.add_argument("--wait-for", metavar="CSS", default="#headline")
    options = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        print("no chromium here: apt-get install chromium", file=sys.stderr)
        return 1
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT})
            page.goto(options.address)
            page.wait_for_selector(options.wait_for, timeout=_PATIENCE_MS)
            page.screenshot(path=options.file)
            browser.close()
    except Error as error:
        print(f"no picture: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
