"""Fetch files from the web, the package index and the Hugging Face hub.

Everything goes to a temporary file, is checked, and only then gets its name.
"""

import http.client
import logging
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from seedwise.errors import UserError
from seedwise.files import atomic, read_json, sha256_of_files, write_json
from seedwise.study.sources import Source, record_path, source_path

LOG = logging.getLogger(__name__)

ATTEMPTS = 5
BACK_OFF_SECONDS = 1.0
TIMEOUT_SECONDS = 60.0
_BLOCK_BYTES = 1 << 20
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_INSTEAD = "fetch the file yourself and give its place as `path:`"


class _InterruptedError(Exception):
    """A fault of the network that another attempt may mend."""


def _partial(target: Path) -> tuple[Path, Path]:
    """Return the unfinished file and the note that says of what version it is."""
    part = target.with_name(f".{target.name}.part")
    return part, part.with_name(f"{part.name}.json")


def _request(url: str, part: Path, note: Path) -> urllib.request.Request:
    """Ask for what is still missing, if the server can tell that the file is the same."""
    request = urllib.request.Request(url, headers={"User-Agent": "seedwise"})
    if part.exists() and note.exists():
        known = read_json(note)
        if known["url"] == url and known["version"]:
            request.add_header("Range", f"bytes={part.stat().st_size}-")
            request.add_header("If-Range", known["version"])
    return request


def _version(headers: Any) -> str:
    """Return a strong validator of the file's version, or nothing (RFC 9110, 13.1.5)."""
    etag = headers.get("ETag", "")
    return etag if etag.startswith('"') else headers.get("Last-Modified", "")


def _expected_bytes(response: Any, begun: int) -> int | None:
    """Return the size of the whole file, if the server says it."""
    if match := re.search(r"/(\d+)$", response.headers.get("Content-Range", "")):
        return int(match.group(1))
    length = response.headers.get("Content-Length")
    return begun + int(length) if length and length.isdigit() else None


def _fetch_once(url: str, target: Path, timeout: float) -> Path:
    """Make one attempt; return the finished temporary file."""
    part, note = _partial(target)
    try:
        with urllib.request.urlopen(_request(url, part, note), timeout=timeout) as response:
            resumed = response.status == 206
            begun = part.stat().st_size if resumed else 0
            expected = _expected_bytes(response, begun)
            write_json(note, {"url": url, "version": _version(response.headers)})
            with part.open("ab" if resumed else "wb") as stream:
                while block := response.read1(_BLOCK_BYTES):
                    stream.write(block)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            part.unlink(missing_ok=True)
            raise _InterruptedError("the server cannot resume") from None
        if error.code in _PASSING:
            raise _InterruptedError(f"the server answered {error.code} {error.reason}") from None
        raise UserError(f"{url}: the server answered {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise _InterruptedError(f"cannot reach the server ({error.reason})") from None
    except (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
        raise _InterruptedError(f"the connection broke ({error or type(error).__name__})") from None
    got = part.stat().st_size
    if expected is not None and got < expected:
        raise _InterruptedError(f"the connection ended after {got:,} of {expected:,} bytes")
    if expected is not None and got > expected:
        part.unlink()
        raise _InterruptedError(f"the server sent {got:,} bytes instead of {expected:,}")
    return part


def _is_web_page(file: Path) -> bool:
    with file.open("rb") as stream:
        head = stream.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype html", b"<html"))


def download_url(
    url: str,
    target: Path,
    *,
    sha256: str | None = None,
    attempts: int = ATTEMPTS,
    back_off: float = BACK_OFF_SECONDS,
    timeout: float = TIMEOUT_SECONDS,
) -> str:
    """Download one file, resuming and retrying, and return its SHA-256.

    Args:
        url: An http or https address.
        target: Where the file shall stand; it appears only when whole and checked.
        sha256: What its checksum must be, if known.
        attempts: How often to try.
        back_off: Seconds before the second attempt, doubled before each further one.
        timeout: Seconds without a byte after which an attempt has failed.

    Raises:
        UserError: The server refuses, cannot be reached or stops half-way; the file is a
            web page, or has another checksum.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, attempts + 1):
        try:
            part = _fetch_once(url, target, timeout)
            break
        except _InterruptedError as error:
            if attempt == attempts:
                raise UserError(f"{url}: {error}, {attempts} times; {_INSTEAD}") from None
            pause = back_off * 2 ** (attempt - 1)
            LOG.warning("%s: %s; trying again in %.3g s", url, error, pause)
            time.sleep(pause)
        except OSError as error:
            raise UserError(f"{target.parent}: cannot write the download ({error})") from None
    seen = sha256_of_files([part])
    problem = None
    if sha256 and seen != sha256:
        problem = f"{url}: has SHA-256 {seen}, expected {sha256}"
    if _is_web_page(part) and target.suffix not in (".html", ".htm"):
        problem = f"{url}: answered with a web page, perhaps to log in, not a file; {_INSTEAD}"
    _partial(target)[1].unlink(missing_ok=True)
    if problem:
        part.unlink()
        raise UserError(problem)
    part.replace(target)
    return seen


def download_package(requirement: str, sha256: str, distribution: str, target: Path) -> str:
    """Fetch one distribution with pip, through the user's own index, and return its SHA-256.

    Args:
        requirement: ``name==version``.
        sha256: What its checksum must be.
        distribution: `sdist` or `wheel`.
        target: Where the file shall stand.

    Raises:
        UserError: pip cannot find or reach it, or its checksum differs.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    choice = "--no-binary" if distribution == "sdist" else "--only-binary"
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".pip-") as folder:
        options = ["--require-hashes", choice, ":all:"]
        _pip_download(requirement, sha256, options, Path(folder)).replace(target)
    return sha256


def fetch_package(requirement: str) -> Source:
    """Fetch whichever distribution of a package pip chooses to where a study looks for it.

    Returns:
        The `source:` mapping, its checksum as it was found.

    Raises:
        UserError: pip cannot find or reach it.
    """
    with tempfile.TemporaryDirectory(prefix="seedwise-") as folder:
        got = _pip_download(requirement, "", [], Path(folder))
        wheel = {"distribution": "wheel"} if got.suffix == ".whl" else {}
        seen = sha256_of_files([got])
        source = {"package": requirement, **wheel, "sha256": seen}
        target = Path(source_path(source))
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic(target) as partial:
            shutil.copyfile(got, partial)
    size = target.stat().st_size
    write_json(record_path(target), {"source": source, "seen": seen, "bytes": size})
    return source


def _pip_download(requirement: str, sha256: str, options: list[str], folder: Path) -> Path:
    """Fetch one distribution into ``folder`` and return it."""
    requirements = folder / "requirements.txt"
    pinned = f" --hash=sha256:{sha256}" if sha256 else ""
    requirements.write_text(f"{requirement}{pinned}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-input", "--no-deps", *options]
    command += ["--dest", f"{folder}/got", "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True)
    LOG.info("%s\n%s%s", " ".join(command), done.stdout, done.stderr)
    if done.returncode:
        raise UserError(_pip_message(requirement, sha256, done.stdout + done.stderr))
    (got,) = (folder / "got").iterdir()
    return got


def _pip_message(requirement: str, sha256: str, output: str) -> str:
    if match := re.search(r"Got\s+([0-9a-f]{64})", output):
        return f"package {requirement}: has SHA-256 {match.group(1)}, expected {sha256}"
    errors = [line for line in output.splitlines() if line.startswith("ERROR:")]
    reason = errors[-1].removeprefix("ERROR:").strip() if errors else "see the log"
    if "No matching distribution" in output:
        return f"package {requirement}: not in your package index, or it cannot be reached"
    return f"package {requirement}: pip could not download it ({reason})"
