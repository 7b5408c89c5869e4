"""Make the environment as locked; `make env` calls it with the Python that the environment gets.

It installs with uv from the package index, or with pip where uv cannot. What fails or is stopped
leaves no environment behind.
"""

import argparse
import fcntl
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import IO

from seedwise.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
STAMP = ".installed"

UV_OF_PIP = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}
"""What uv calls the settings of pip that say where packages are (docs.astral.sh/uv)."""


_FULL = "No space left on device"


def check_compiler() -> None:
    """Look for what fairseq is built with: a compiler of C and of C++, Python's headers.

    Raises:
        UserError: One is missing.
    """
    for variable in ("CC", "CXX"):
        command = os.environ.get(variable) or str(sysconfig.get_config_var(variable))
        if not shutil.which(shlex.split(command)[0]):
            raise UserError(
                f"fairseq is compiled while it is installed, and {command!r} ({variable}) is not "
                "there; install gcc and g++ (on Debian and Ubuntu: apt install build-essential)"
            )
    header = Path(sysconfig.get_path("include"), "Python.h")
    python = "python{}.{}".format(*sys.version_info)
    if not header.is_file():
        raise UserError(
            f"fairseq is compiled while it is installed, and {header} is not there; install the "
            f"headers of Python (on Debian and Ubuntu: apt install {python}-dev)"
        )


def settings_for_uv(said: str, environment: dict[str, str]) -> dict[str, str]:
    """Return the variables that tell uv what ``pip config list`` ``said``.

    What the ``environment`` sets for uv itself stays. Of a setting in several places, pip's own
    variables go first.
    """
    found: dict[str, str] = {}
    for line in sorted(said.splitlines(), key=lambda line: line.startswith(":env:")):
        match = re.match(r"[^=]*\.([\w-]+)='(.*)'$", line)
        if match and match[1] in UV_OF_PIP:
            found[UV_OF_PIP[match[1]]] = match[2].replace("\\n", " ").strip()
    return {name: value for name, value in found.items() if name not in environment}


def essence(said: str) -> str:
    """Return the line of an installer's output that says what went wrong."""
    lines = [re.sub(r"^[\s×╰├─▶│]+", "", line) for line in said.splitlines()]
    lines = [line for line in lines if line] or ["it said nothing"]
    if any("from versions: none" in line for line in lines):
        return "the package index is not to be reached"
    full = [line for line in lines if _FULL in line]
    errors = [line for line in lines if re.match(r"(error|fatal|ERROR)\b", line)]
    causes = [line for line in lines if re.match(r"cause|Caused by", line)]
    return full[0] if full else "; ".join([(errors or lines)[0], *causes[:1]])


def run(log: IO[str], words: list[str], **variables: str) -> None:
    """Run a command whose output goes to ``log``.

    Raises:
        UserError: It fails.
    """
    log.write("$ " + " ".join(map(shlex.quote, words)) + "\n")
    log.flush()
    done = subprocess.run(
        words,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        close_fds=False,  # as long as one of ours runs, it holds our lock
    )
    log.write(done.stdout)
    log.flush()
    if done.returncode:
        raise UserError(essence(done.stdout))


def install(python: Path, torch: str, log: IO[str]) -> None:
    """Install what the lock names beside ``python``.

    torch comes first, with its dependencies: a CUDA build pins CUDA libraries that a CPU build has
    not. The rest is installed exactly as locked; fairseq's torchaudio is left out that way.

    Args:
        python: The environment's interpreter.
        torch: ``cpu`` for a build without CUDA; else what the index gives.
        log: Where output goes.

    Raises:
        UserError: Neither uv nor pip can.
    """
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    pins = re.findall(r"^[\w.-]+==\S+", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    (uv_pin,) = (pin for pin in pins if pin.startswith("uv=="))
    (torch_pin,) = (pin for pin in pins if pin.startswith("torch=="))
    local = "+cpu" if torch == "cpu" else ""
    try:
        run(log, [*pip, "install", "--retries", "1", uv_pin])
        said = subprocess.run([*pip, "config", "list"], stdout=subprocess.PIPE, check=False)
        # As pip does: of all places, the newest that the lock allows.
        own = {"UV_INDEX_STRATEGY": "unsafe-best-match"}
        own |= settings_for_uv(said.stdout.decode(), dict(os.environ))
        uv = [str(python.parent / "uv"), "pip", "install", "--python", str(python)]
        try:
            run(log, [*uv, "--constraint", str(LOCK), torch_pin + local], **own)
        except UserError:
            if not local:
                raise
            # No index of the user's has it; PyTorch's own has.
            run(log, [*uv, "--constraint", str(LOCK), "--torch-backend", "cpu", "torch"], **own)
        run(log, [*uv, "--no-deps", "--requirement", str(LOCK)], **own)
    except UserError as failure:
        if _FULL in str(failure):
            raise
        print(f"uv cannot install it ({failure}); pip tries, which takes minutes", flush=True)
        # Later ones refuse the metadata of omegaconf 2.0.6, which fairseq asks for.
        run(log, [*pip, "install", "--retries", "1", "pip==24.0"])
        run(log, [*pip, "install", "--constraint", str(LOCK), torch_pin + local])
        run(log, [*pip, "install", "--no-deps", "--requirement", str(LOCK)])


def make(folder: Path, torch: str, log: IO[str]) -> None:
    """Make the environment ``folder``, in place of what is there; remove it if that fails.

    Raises:
        UserError: It cannot be made.
    """
    try:
        run(log, [sys.executable, "-m", "venv", "--clear", str(folder)])
        install(folder / "bin" / "python", torch, log)
        (folder / STAMP).touch()
    finally:
        if not (folder / STAMP).is_file():
            shutil.rmtree(folder, ignore_errors=True)


def arguments(words: list[str]) -> argparse.Namespace:
    """Return the command line's ``words`` as options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the environment goes, .venv")
    parser.add_argument("--torch", default="", help="cpu: a build without CUDA")
    return parser.parse_args(words)


def main(*, folder: Path, torch: str) -> None:
    """Make the environment, unless another call has made it meanwhile."""
    check_compiler()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    said = ROOT / "logs" / f"install_environment{folder.suffix}.log"
    said.parent.mkdir(exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as held:
        # What a killed call has started may still be at work there.
        os.set_inheritable(held.fileno(), True)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f"another call makes {folder}; waiting for it", flush=True)
            fcntl.flock(held, fcntl.LOCK_EX)
        stamp = folder / STAMP
        if stamp.is_file() and stamp.stat().st_mtime >= LOCK.stat().st_mtime:
            return
        print(f"making {folder} with Python {platform.python_version()}", flush=True)
        with said.open("w", encoding="utf-8") as log:
            try:
                make(folder, torch, log)
            except UserError as error:
                raise UserError(f"{folder} cannot be made: {error} (all of it: {said})") from None


if __name__ == "__main__":
    try:
        main(**vars(arguments(sys.argv[1:])))
    except UserError as error:
        sys.exit(f"error: {error}")
