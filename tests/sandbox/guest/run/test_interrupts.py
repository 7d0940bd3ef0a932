"""Interrupts end the notebook's code; the error and the reply of its cell are never lost with it."""

from __future__ import annotations

import pytest

from grader.models.assignment import Limits
from grader.sandbox.base import Job
from grader.sandbox.namespaces import NamespaceSandbox
from tests.support.confined import errors, texts
from tests.support.notebooks import notebook_bytes

# Each cell is interrupted after a second, and again twice a second until it has ended.
SLOW_MESSAGE = """
import time
class Slow(Exception):
    def __str__(self): time.sleep(0.3); return "slow"
try: time.sleep(100)
except KeyboardInterrupt: raise Slow
"""
SLOW_REPLY = """
import time
kernel = get_ipython().kernel
finish = kernel.finish_metadata
def slowly(*arguments):
    time.sleep(2)
    return finish(*arguments)
kernel.finish_metadata = slowly
time.sleep(100)
"""
SLOW_DISPLAY = """
import time
waits = [100]
get_ipython().events.register("post_execute", lambda: time.sleep(waits.pop() if waits else 0))
"""
SLOW_AWAIT = "import asyncio; await asyncio.sleep(100)"
BUSY_AWAIT = "import asyncio; await asyncio.sleep(0)\nwhile True: pass"
BUSY_TASK = """
import asyncio
async def work():
    while True: await asyncio.sleep(0)
await asyncio.create_task(work())
"""


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param(SLOW_MESSAGE, "Slow", id="while the error is printed"),
        pytest.param(SLOW_REPLY, "KeyboardInterrupt", id="while the reply is sent"),
        pytest.param(SLOW_AWAIT, "CancelledError", id="in code that awaits"),
        pytest.param(BUSY_AWAIT, "KeyboardInterrupt", id="in code that does not await"),
        pytest.param(BUSY_TASK, "CancelledError", id="in a task of its own"),
    ],
)
def test_the_error_is_kept_and_the_next_cell_runs(warm: NamespaceSandbox, cell: str, expected: str) -> None:
    reply = warm.run(Job(notebook_bytes(cell, "print(6 * 7)"), {}, Limits(seconds=30, cell_seconds=1)))
    assert errors(reply) == [expected, None]
    assert texts(reply)[1] == "42\n"
    assert reply.cell_seconds < 12


def test_what_a_library_runs_after_the_cell_is_interrupted_too(warm: NamespaceSandbox) -> None:
    reply = warm.run(Job(notebook_bytes(SLOW_DISPLAY, "print(6 * 7)"), {}, Limits(seconds=30, cell_seconds=1)))
    assert texts(reply)[1].startswith("42\n")
