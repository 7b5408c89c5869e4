"""The one exception for what a user can mend, and how it shows what the user wrote."""

from typing import Any


class UserError(Exception):
    """A mistake in the user's input; its message says what, where, and what is allowed."""


def one_line(name: Any) -> str:
    """Return a name that the user gave as it is, or quoted where it is no plain line."""
    return str(name) if str(name).isprintable() else repr(name)
