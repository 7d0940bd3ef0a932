"""Errors of the person who runs the grader. A failure of a student's notebook is a ``Run.outcome`` instead.

GraderError                 the command line prints ``message`` and exits with status 1
├── AssignmentError         assignment.toml or its files are wrong; carries every problem found
├── IntakeError             a download, class list or gradebook cannot be read
├── DatasetError            public or hidden data are missing, unreadable or of the wrong shape
├── OutputError             the output folder cannot be written
├── IsolationError          the process that decodes an untrusted file crashed or ran out of time
├── PushError               the LMS server cannot be reached or refused a request; never contains the token
│   ├── TokenError          there is no token, or the server does not accept it
│   └── UnclearError        the server failed during a change, which may or may not have been made
├── SandboxError            the requested confinement is not available or broke; never the student's fault
└── MetricError             predictions cannot be measured; scoring turns it into a score with a reason

Stopped                     not an error: the grading was stopped while a submission was running
"""

from __future__ import annotations

from collections.abc import Sequence

from grader.i18n.message import Message, join_lines, verbatim


class GraderError(Exception):
    """Root of all errors raised on purpose. ``str(error)`` is ``message`` in English."""

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__(message)


class AssignmentError(GraderError):
    """An assignment that cannot be used; ``problems``, at least one, say place, found value and expected value."""

    def __init__(self, problems: Sequence[Message]) -> None:
        self.problems = tuple(problems)
        super().__init__(join_lines(self.problems, most=len(self.problems)))


class IntakeError(GraderError):
    pass


class DatasetError(GraderError):
    pass


class OutputError(GraderError):
    pass


class GradebookError(GraderError):
    pass


class IsolationError(GraderError):
    """The message reads on from the file's name: "it took more than 30 s"."""


class PushError(GraderError):
    pass


class TokenError(PushError):
    pass


class UnclearError(PushError):
    pass


class SandboxError(GraderError):
    pass


class MetricError(GraderError):
    """The message names what was found and what was expected; it is part of the student's report."""


class Stopped(Exception):  # noqa: N818  nothing went wrong
    """Raised by a sandbox that was closed; the submission stays ungraded."""


def error_message(error: Exception) -> Message:
    """Return the message of a ``GraderError``, or the text of any other exception."""
    return error.message if isinstance(error, GraderError) else verbatim(str(error))
