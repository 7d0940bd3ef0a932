"""The smallest job there is, to see whether a sandbox works on this machine."""

from __future__ import annotations

import nbformat

from grader.models.assignment import Limits
from grader.sandbox.base import Ended, Job, Reply


def trial_job(threads: int = 1) -> Job:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(6 * 7)")])
    return Job(str(nbformat.writes(notebook)).encode(), {}, Limits(seconds=60), threads)


def answered(reply: Reply) -> bool:
    return reply.ended is Ended.FINISHED and b"42" in (reply.executed or b"")
