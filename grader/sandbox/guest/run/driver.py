"""Runs the cells one after the other and writes the executed notebook as it goes.

A cell that fails does not stop the next. A cell that outlives its time is interrupted, and what it reached stays;
when the whole notebook's time is up, the cells that follow are not started.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.connect import write_connection_file
from nbclient.exceptions import DeadKernelError

from .. import protocol
from ..processes import close_own_memory
from .kernel import KernelProcess
from .outputs import BoundedClient, keep_error

CONNECTION_FILE = "connection.json"
# Nobody else writes there: no full disk, no fault of the machine, but a folder or a link where a file has to be.
IN_THE_WAY = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)


class _Client(AsyncKernelClient):  # type: ignore[misc]
    """Asks the process itself whether it lives; a heartbeat may be late when a machine is busy."""

    kernel: KernelProcess

    async def _async_is_alive(self) -> bool:
        return await self.kernel.is_alive()

    is_alive = _async_is_alive

    async def wait_until_heard(self, seconds: float) -> None:
        """Returns once the kernel has answered on both channels; RuntimeError when it dies or does not in time.

        ``wait_for_ready`` would go on listening into the silence for another fifth of a second.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and await self.kernel.is_alive():
            asked = self.kernel_info()
            try:
                await self._reply_to(asked, self.shell_channel, "kernel_info_reply")
                while (await self._reply_to(asked, self.iopub_channel, "status"))["execution_state"] != "idle":
                    pass
            except queue.Empty:
                continue  # asked before iopub was connected: what was said then is lost
            return
        raise RuntimeError(f"the kernel did not answer within {seconds:.0f} s")

    @staticmethod
    async def _reply_to(asked: str, channel: Any, kind: str) -> dict[str, Any]:
        """The content of the next message of that kind about that question; raises queue.Empty after a second."""
        while True:
            found = await channel.get_msg(timeout=1)
            if found["msg_type"] == kind and found["parent_header"].get("msg_id") == asked:
                content: dict[str, Any] = found["content"]
                return content


class Drive:
    """One job: the notebook, its kernel and the clock."""

    def __init__(self, job: Path, request: dict[str, Any], kernel: KernelProcess) -> None:
        self.job, self.request, self.out = job, request, job / "out"
        self.notebook = nbformat.reads((job / protocol.NOTEBOOK).read_text("utf-8"), as_version=4)
        self.notebook.metadata["grader"] = {"timeout_cell": None, "died_cell": None, "slow_cells": []}
        self.status = self.notebook.metadata["grader"]
        self.deadline = 0.0
        self.kernel = kernel
        self.client = BoundedClient(
            self.notebook,
            timeout=None,
            allow_errors=True,
            interrupt_on_timeout=True,
            skip_cells_with_tag="",
            record_timing=True,
            store_widget_state=False,
            coalesce_streams=True,
            iopub_timeout=20,
        )
        self.client.km = kernel
        self.client.output_bytes = int(request["output_bytes"])
        self.client.timeout_func = lambda _cell: self._cell_seconds()
        self.client.on_cell_executed = keep_error

    def save(self) -> None:
        text = nbformat.writes(self.notebook)
        try:
            protocol.write_atomically(self.out / protocol.EXECUTED, text.encode("utf-8", "replace"))
        except IN_THE_WAY:
            os._exit(protocol.EXIT_BLOCKED)

    def _mark(self, marker: str) -> None:
        try:
            (self.out / marker).touch()
        except IN_THE_WAY:
            os._exit(protocol.EXIT_BLOCKED)

    def _cell_seconds(self) -> float:
        left = max(0.1, self.deadline - time.monotonic())
        one = self.request["cell_seconds"]
        return min(left, one) if one else left

    async def run(self) -> None:
        self.save()
        await self._connect()
        self._mark(protocol.STARTED)
        alive = await self._run_cells()
        self._mark(protocol.CELLS_ENDED)
        if alive:
            await self._ask_kernel("report")
        self.save()
        self._mark(protocol.READY)
        if alive and self.request["predict"] and await self._hidden_inputs_came():
            await self._ask_kernel("answer")

    async def _connect(self) -> None:
        client = _Client(connection_file=str(self.job / "run" / CONNECTION_FILE))
        client.kernel = self.kernel
        client.load_connection_file()
        await self._sockets_are_there(client)
        client.start_channels()
        await client.wait_until_heard(protocol.START_SECONDS)
        client.allow_stdin = False
        self.client.kc = client

    async def _sockets_are_there(self, client: _Client) -> None:
        """A socket that is connected to too early tries again only after a tenth of a second."""
        if client.transport != "ipc":
            return
        ports = (client.shell_port, client.iopub_port, client.stdin_port, client.control_port, client.hb_port)
        sockets = [Path(f"{client.ip}-{port}") for port in ports]
        deadline = time.monotonic() + protocol.START_SECONDS
        while not all(path.exists() for path in sockets) and time.monotonic() < deadline:
            await asyncio.sleep(0.005)

    async def _run_cells(self) -> bool:
        """Whether the kernel is still there afterwards."""
        self.deadline = time.monotonic() + self.request["seconds"]
        for index, cell in enumerate(self.notebook.cells):
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            started = time.monotonic()
            self.client.begin_cell()
            seconds = self._cell_seconds()
            insisting = asyncio.ensure_future(self._insist_after(seconds))
            try:
                # The second bound is for a cell that ignores its interruptions.
                await asyncio.wait_for(self.client.async_execute_cell(cell, index), seconds + protocol.GRACE_SECONDS)
            except (DeadKernelError, TimeoutError):
                # nbclient takes being cancelled at the second bound for the kernel's death; the kernel knows better.
                alive = await self.kernel.is_alive()
                self.status["timeout_cell" if alive else "died_cell"] = index
                return False
            except (KeyError, TypeError, ValueError, AttributeError):
                traceback.print_exc()
                self.status["died_cell"] = index  # what speaks there now is no kernel: the notebook has replaced it
                return False
            finally:
                insisting.cancel()
                self.save()
            if time.monotonic() >= self.deadline:
                self.status["timeout_cell"] = index
                return True
            one = self.request["cell_seconds"]
            if one and time.monotonic() - started >= one:
                self.status["slow_cells"].append(index)
        return True

    async def _insist_after(self, seconds: float) -> None:
        """Interrupts again and again: one that comes while Python tidies an object up is lost."""
        await asyncio.sleep(seconds)
        while True:
            await asyncio.sleep(protocol.INTERRUPT_EVERY)
            await self.kernel.interrupt_kernel()

    async def _ask_kernel(self, what: str) -> None:
        """Has the probe work inside the notebook's process; what it prints is nobody's."""
        client = self.client.kc
        code = f"__import__('sys').modules['guest.probe.probe'].{what}()"
        message_id = client.execute(code, silent=True, store_history=False, allow_stdin=False)
        deadline = time.monotonic() + self.request["predict_seconds"]
        while time.monotonic() < deadline and await self.kernel.is_alive():
            try:
                reply = await client.get_shell_msg(timeout=min(1.0, max(0.05, deadline - time.monotonic())))
                answers = reply["parent_header"].get("msg_id")
            except Exception:  # noqa: BLE001, S112  queue.Empty, or whatever a hostile kernel makes of the socket
                continue
            if answers == message_id:
                return
        await self.kernel.interrupt_kernel()

    async def _hidden_inputs_came(self) -> bool:
        ready = self.job / "hidden" / protocol.HIDDEN_COMPLETE
        deadline = time.monotonic() + protocol.START_SECONDS
        while not ready.exists():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.005)
        return True


def run_job(job: Path, request: dict[str, Any]) -> None:
    """Returns when the notebook has been asked everything; its process may still be there, for others to end."""
    connection_file = str(job / "run" / CONNECTION_FILE)
    if sys.platform == "win32":
        write_connection_file(connection_file)
    else:
        # Sockets in the job folder: ports race, and a new network namespace has none.
        write_connection_file(connection_file, transport="ipc", ip=str(job / "run" / "k"))
    # Forked before there is an event loop or a socket, so that neither is shared.
    kernel = KernelProcess(connection_file, job)
    close_own_memory()
    asyncio.run(Drive(job, request, kernel).run())
