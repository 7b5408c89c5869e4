"""The one exception for what a user can mend."""


class UserError(Exception):
    """A mistake in the user's input; its message says what, where, and what is allowed."""
