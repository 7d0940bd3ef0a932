"""Interrupts that end the notebook's code and nothing around it.

The driver repeats an interrupt until the cell has ended, as one can be lost. On a busy machine the next one may arrive
while IPython prints the traceback or sends the reply, and the error or the reply would be lost with it.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


def interrupt_only_the_notebook(kernel: Any, shell: Any) -> None:
    """Ignore interrupts outside the notebook's own code: its cells and what it or a library runs after each cell."""
    can_interrupt = False
    awaiting: asyncio.Future[Any] | None = None  # a cell with ``await``

    def handle(number: int, frame: FrameType | None) -> None:
        if not can_interrupt:
            return
        if awaiting is None or awaiting is asyncio.current_task(awaiting.get_loop()):
            signal.default_int_handler(number, frame)
        awaiting.get_loop().call_soon_threadsafe(awaiting.cancel)  # an exception here would end IPython's event loop

    @contextmanager
    def interrupting(cell: asyncio.Future[Any]) -> Iterator[None]:
        nonlocal awaiting
        awaiting = cell
        try:
            yield
        finally:
            awaiting = None

    @contextmanager
    def interrupts(value: bool) -> Iterator[None]:
        nonlocal can_interrupt
        before, can_interrupt = can_interrupt, value
        try:
            yield
        finally:
            can_interrupt = before

    run_code, show, trigger = shell.run_code, shell.showtraceback, shell.events.trigger

    async def run_interruptibly(*args: Any, **kwargs: Any) -> Any:
        with interrupts(True):
            return await run_code(*args, **kwargs)

    def trigger_interruptibly(*args: Any, **kwargs: Any) -> Any:
        with interrupts(True):
            return trigger(*args, **kwargs)

    def show_whole(*args: Any, **kwargs: Any) -> Any:
        with interrupts(False):
            return show(*args, **kwargs)

    shell.run_code, shell.showtraceback, shell.events.trigger = run_interruptibly, show_whole, trigger_interruptibly
    kernel._cancel_on_sigint = interrupting
    kernel.pre_handler_hook = lambda: signal.signal(signal.SIGINT, handle)
    kernel.post_handler_hook = lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
