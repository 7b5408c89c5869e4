"""Fetch repositories of the Hugging Face hub."""

import re
import shutil
from pathlib import Path

from filelock import FileLock

from seedwise.errors import UserError
from seedwise.files import write_json
from seedwise.study.sources import Source, record_in_lock, record_path, source_path


def fetch_snapshot(*, source: Source, folder: Path, record: Path) -> None:
    """Download ``source`` to ``folder``, hold it to the lock file, and write its ``record``."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    repository, revision, kind = source["hub"], source["revision"], source["type"]
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        commit = revision
        if not re.fullmatch("[0-9a-f]{40}", revision):
            commit = resolve_commit(repository, revision, kind)
            record_in_lock(source, commit)
        download_snapshot(repository, commit, kind, folder, source.get("include"))
        write_json(record, {"source": source, "seen": commit})


def fetch_repository(source: Source) -> Path:
    """Return the folder in which a study looks for a repository, downloaded if it is not there."""
    folder = Path(source_path(source))
    if not folder.exists():
        fetch_snapshot(source=source, folder=folder, record=record_path(folder))
    return folder


def resolve_commit(repository: str, revision: str, repository_type: str) -> str:
    """Return the commit of a hub repository that a branch or tag now stands for.

    Raises:
        UserError: The hub cannot be reached, or has no such repository or revision.
    """
    from huggingface_hub import HfApi

    try:
        info = HfApi().repo_info(repository, revision=revision, repo_type=repository_type)
    except Exception as error:
        raise _hub_error(repository, revision, error) from None
    return str(info.sha)


def download_snapshot(
    repository: str,
    commit: str,
    repository_type: str,
    target: Path,
    include: list[str] | None = None,
) -> None:
    """Fetch a hub repository at one commit into the folder ``target``, whole or not at all.

    An interrupted download is continued. ``HF_ENDPOINT`` and ``HF_TOKEN`` are respected.

    Raises:
        UserError: The hub cannot be reached, refuses, or has no such file.
    """
    from huggingface_hub import snapshot_download

    partial = target.with_name(f".{target.name}.part")
    try:
        snapshot_download(
            repository,
            revision=commit,
            repo_type=repository_type,
            local_dir=partial,
            allow_patterns=include,
        )
    except Exception as error:
        raise _hub_error(repository, commit, error) from None
    shutil.rmtree(partial / ".cache", ignore_errors=True)
    if not any(partial.rglob("*")):
        raise UserError(f"hub {repository} at {commit}: no file matches {include or '*'}")
    partial.replace(target)


def _hub_error(repository: str, revision: str, error: Exception) -> UserError:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    return UserError(f"hub {repository} at {revision}: {reason}")
