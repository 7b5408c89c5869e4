"""A page in a real headless Chromium, from disk and without a network."""

import shutil
import subprocess
from pathlib import Path

import pytest

# Measures after the page has drawn itself, and says so where `--dump-dom` shows it.
_PROBE = """\
<script>
setTimeout(() => {
  const wide = document.documentElement.scrollWidth;
  document.documentElement.setAttribute("data-measured", `${wide} of ${window.innerWidth}`);
}, 2000);
</script>
"""


def chromium() -> str:
    """Return the browser's path; skip the test where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("chromium is not installed")
    return found


def _run(*arguments: str) -> str:
    command = [chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    # A proxy that is not there: what the page asks of the network fails.
    command += ["--proxy-server=127.0.0.1:9", "--virtual-time-budget=6000", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.stdout


def dump(page: Path, width: int, folder: Path) -> str:
    """Return the page as drawn at ``width``, with `data-measured="<content> of <window>"`."""
    probed = folder / f"probed-{width}.html"
    probed.write_text(page.read_text(encoding="utf-8") + _PROBE, encoding="utf-8")
    return _run(f"--window-size={width},900", "--dump-dom", probed.as_uri())


def screenshot(page: Path, width: int, height: int, png: Path) -> None:
    """Take a picture of the page."""
    _run(f"--window-size={width},{height}", f"--screenshot={png}", page.as_uri())
