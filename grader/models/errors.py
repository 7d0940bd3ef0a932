"""What can go wrong for the operator. A student's failure is data (``Run.outcome``), never one of these.

GraderError                 exit 1: one clear line
├── AssignmentError         assignment.toml or its files; carries every problem found
├── IntakeError             nothing could be read from what was handed in
├── DatasetError            public or hidden data: missing, wrong shape, unreadable
├── OutputError             the output folder cannot be written
├── ApartError              a stranger's file broke or outran the process that decoded it; the caller says which
├── PushError               the LMS's server cannot be reached, or refused what it was asked
│   ├── TokenError          there is no token, or the server does not take it
│   └── UnclearError        the server broke down over a change: perhaps it was made, perhaps not
├── SandboxError            no confinement as asked for, or it broke: our fault, never the student's
└── MetricError             predictions that cannot be measured; scoring turns it into a score with a reason

Stopped                     not an error: the operator ended the grading while this submission was running
"""

from __future__ import annotations

from grader.i18n.message import Message


class GraderError(Exception):
    """Root of everything raised on purpose."""


class AssignmentError(GraderError):
    """``problems`` has one line per problem: where, what was found, what was expected."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class IntakeError(GraderError):
    pass


class DatasetError(GraderError):
    pass


class OutputError(GraderError):
    pass


class SandboxError(GraderError):
    pass


class ApartError(GraderError):
    """``message`` says what became of the process."""

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__(str(message))


class PushError(GraderError):
    """``message`` says what was refused and what to do; the token is not in it."""

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__(message)


class TokenError(PushError):
    pass


class UnclearError(PushError):
    pass


class MetricError(GraderError):
    """``message`` names the found and the expected, for the student's report."""

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__(str(message))


class Stopped(Exception):  # noqa: N818  nothing went wrong
    """Raised by a sandbox that was closed; the submission stays ungraded."""
