"""A page in a real headless Chromium, from disk and without a network."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

# In the page: once it has drawn itself, say what it shows; click on Figures, and say it again.
_PROBE = """\
<script>
const seen = {};
setTimeout(() => {
  seen.wide = document.documentElement.scrollWidth;
  seen.window = window.innerWidth;
  seen.first = document.body.innerText;
  [...document.querySelectorAll("a")].find((a) => a.innerText.trim() == "Figures").click();
}, 1500);
setTimeout(() => {
  seen.second = document.body.innerText;
  parent.postMessage(seen, "*");
}, 3000);
</script>
"""
# Chromium's own windows are not as narrow as a phone; a frame is.
_FRAME = """\
<!doctype html><body style="margin: 0">
<script>onmessage = (event) => {
  document.body.setAttribute("data-seen", JSON.stringify(event.data));
}</script>
<iframe src="%s" width="%d" height="900" style="border: 0"></iframe>
"""


def chromium() -> str:
    """Return the browser's path; skip the test where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("chromium is not installed")
    return found


def run(page: Path, *arguments: str) -> str:
    """Open the page and return what Chromium writes."""
    command = [chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    # A proxy that is not there: what the page asks of the network fails.
    command += ["--proxy-server=127.0.0.1:9", "--virtual-time-budget=8000", *arguments]
    done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=120)
    return done.stdout


def frame(page: Path, width: int, folder: Path) -> Path:
    """Write a page that shows ``page`` in a window of ``width``, and return it."""
    probed = folder / f"probed-{width}.html"
    probed.write_text(page.read_text(encoding="utf-8") + _PROBE, encoding="utf-8")
    framed = folder / f"framed-{width}.html"
    framed.write_text(_FRAME % (probed.name, width), encoding="utf-8")
    return framed


def measure(page: Path, width: int, folder: Path) -> tuple[int, int, str, str]:
    """Return the width of content and window, and the text before and after a click on Figures."""
    dumped = run(frame(page, width, folder), f"--window-size={width + 200},900", "--dump-dom")
    seen = json.loads(html.unescape(re.search(r'data-seen="([^"]*)"', dumped).group(1)))
    return seen["wide"], seen["window"], seen["first"], seen["second"]
