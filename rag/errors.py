"""The one kind of error that a user can mend: its text is one sentence with the remedy."""


class UserError(Exception):
    """Raised where the user's input, files or machine are at fault; shown without a traceback, exit code 2."""


class WorkError(UserError):
    """The work itself could not be done (disk full, index in use ...): shown the same way, exit code 1."""
