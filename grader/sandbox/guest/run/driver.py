"""Driver of one job: runs the cells in order and saves the executed notebook after each.

A cell that fails does not stop the next. A cell that exceeds its time, or its share of what is left, is
interrupted, and its output so far stays. When the time of the whole notebook is up, the other cells are not started.

The driver shares neither processes nor files with the notebook, except the sockets over which they talk. It believes
nothing of what comes through them: messages only become outputs of the cell that is running.
"""

from __future__ import annotations

import asyncio
import json
import time
import traceback
from pathlib import Path
from typing import Any

import nbformat
from nbclient.exceptions import DeadKernelError

from .. import protocol
from ..processes import close_own_memory
from ..record.time_shares import seconds_of_share, time_shares
from .kernel_client import KernelClient, RemoteKernel
from .outputs import BoundedClient, keep_error, merge_streams


class Driver:
    """A job in progress: the notebook, its kernel and its time limits."""

    def __init__(self, job: Path, request: dict[str, Any]) -> None:
        self.job, self.request, self.out = job, request, job / protocol.OUT
        self.notebook = nbformat.reads((job / protocol.NOTEBOOK).read_text("utf-8"), as_version=4)
        self.notebook.metadata["grader"] = {
            "timeout_cell": None,
            "died_cell": None,
            "slow_cells": [],  # stopped at the limit for one cell
            "shared_cells": [],  # stopped for the cells after them
        }
        self.status = self.notebook.metadata["grader"]
        self.deadline = 0.0
        self.cell_limit = 0.0  # seconds for the cell that is running
        self.longer = frozenset(request["longer"])
        self.probe_seconds = float(request["predict_seconds"])  # left for the probe: to find the model and to predict
        self.cells = code_cells(self.notebook)
        self.shares = time_shares([cell.source for _index, cell in self.cells])
        self.kernel = RemoteKernel(json.dumps({**request["kernel"], "shares": self.shares}).encode())
        self.client = BoundedClient(
            self.notebook,
            timeout=None,
            allow_errors=True,
            interrupt_on_timeout=True,
            skip_cells_with_tag="",
            record_timing=True,
            store_widget_state=False,
            coalesce_streams=False,
            iopub_timeout=20,
        )
        self.client.km = self.kernel
        self.client.output_bytes = int(request["output_bytes"])
        self.client.timeout_func = lambda _cell: self.cell_limit
        self.client.on_cell_executed = keep_error

    def save(self) -> None:
        """Write the executed notebook as it is now."""
        text = nbformat.writes(self.notebook)
        protocol.write_atomically(self.out / protocol.EXECUTED, text.encode("utf-8", "replace"))

    def _mark(self, marker: str) -> None:
        (self.out / marker).touch()

    def _seconds_for_cell(self, index: int, share: float) -> float:
        left = max(0.1, self.deadline - time.monotonic())
        limit = left / 2 if index in self.longer else self.request["cell_seconds"]
        left = seconds_of_share(left, share)
        return min(left, limit) if limit else left

    async def run(self) -> None:
        """Run all cells, have the probe report, and have it predict once the host has added the hidden inputs."""
        self.save()
        await self._connect()
        self._mark(protocol.STARTED)
        alive = await self._run_cells()
        self._mark(protocol.CELLS_ENDED)
        if alive:
            await self._run_probe("report")
        self.save()
        self._mark(protocol.READY)
        if alive and self.request["predict"] and await self._wait_for(self.out / protocol.ASKED):
            await self._run_probe("predict")

    async def _connect(self) -> None:
        connection_file = self.job / protocol.RUN / protocol.CONNECTION_FILE
        if not await self._wait_for(connection_file):
            raise RuntimeError("the kernel did not start")
        client = KernelClient(connection_file=str(connection_file))
        client.kernel = self.kernel
        client.load_connection_file()
        await self._wait_for_sockets(client)
        client.start_channels()
        await client.wait_until_answering(protocol.START_SECONDS)
        client.allow_stdin = False
        self.client.kc = client

    async def _wait_for_sockets(self, client: KernelClient) -> None:
        """Wait until the sockets exist: a connection made too early is retried only after a tenth of a second."""
        if client.transport != "ipc":
            return
        ports = (client.shell_port, client.iopub_port, client.stdin_port, client.control_port, client.hb_port)
        for port in ports:
            await self._wait_for(Path(f"{client.ip}-{port}"))

    async def _wait_for(self, path: Path) -> bool:
        """Wait until ``path`` exists. Return False if the kernel ends or takes too long."""
        deadline = time.monotonic() + protocol.START_SECONDS
        while not path.exists():
            if time.monotonic() > deadline or not await self.kernel.is_alive():
                return False
            await asyncio.sleep(0.005)
        return True

    async def _run_cells(self) -> bool:
        """Run the cells and return True if the kernel can still be used afterwards."""
        self.deadline = time.monotonic() + self.request["seconds"]
        for (index, cell), share in zip(self.cells, self.shares, strict=True):
            started = time.monotonic()
            self.client.begin_cell()
            seconds = self.cell_limit = self._seconds_for_cell(index, share)
            interrupter = asyncio.ensure_future(self._interrupt_after(seconds))
            try:
                # The second limit is for a cell that ignores interrupts.
                await asyncio.wait_for(self.client.async_execute_cell(cell, index), seconds + protocol.GRACE_SECONDS)
            except (DeadKernelError, TimeoutError):
                # nbclient reports a dead kernel when it is cancelled at the second limit; the process knows better.
                alive = await self.kernel.is_alive()
                self.status["timeout_cell" if alive else "died_cell"] = index
                return False
            except Exception:  # noqa: BLE001  the messages are not a kernel's: the notebook has replaced it
                traceback.print_exc()
                self.status["died_cell"] = index
                return False
            finally:
                interrupter.cancel()
                self._save_cell(cell)
            if time.monotonic() >= self.deadline:
                self.status["timeout_cell"] = index
                return True
            if time.monotonic() - started >= seconds:
                own_limit = index in self.longer or seconds == self.request["cell_seconds"]
                self.status["slow_cells" if own_limit else "shared_cells"].append(index)
        return True

    def _save_cell(self, cell: nbformat.NotebookNode) -> None:
        """Save the notebook after ``cell``, whose outputs are dropped if they are no outputs of a notebook."""
        try:
            nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))
            cell.outputs = merge_streams(cell.outputs)
        except Exception:  # noqa: BLE001  invalid in one of many ways, or too deep to be examined
            cell.outputs = []
        self.save()

    async def _interrupt_after(self, seconds: float) -> None:
        """Interrupt repeatedly: an interrupt that arrives while Python finalizes an object is lost."""
        await asyncio.sleep(seconds)
        while True:
            await asyncio.sleep(protocol.INTERRUPT_EVERY)
            await self.kernel.interrupt_kernel()

    async def _run_probe(self, function: str) -> None:
        """Call a function of the probe inside the notebook's process; its output is dropped."""
        client = self.client.kc
        code = f"__import__('sys').modules['guest.probe.probe'].{function}()"
        message_id = client.execute(code, silent=True, store_history=False, allow_stdin=False)
        deadline = time.monotonic() + self.probe_seconds
        while time.monotonic() < deadline and await self.kernel.is_alive():
            try:
                reply = await client.get_shell_msg(timeout=min(1.0, max(0.05, deadline - time.monotonic())))
                replied_to = reply["parent_header"].get("msg_id")
            except Exception:  # noqa: BLE001, S112  queue.Empty, or anything a hostile kernel sends
                continue
            if replied_to == message_id:
                self.probe_seconds = deadline - time.monotonic()
                return
        self.probe_seconds = 0.0
        await self.kernel.interrupt_kernel()


def code_cells(notebook: nbformat.NotebookNode) -> list[tuple[int, nbformat.NotebookNode]]:
    """Return the cells that are executed, with their places in the notebook."""
    return [
        (index, cell) for index, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()
    ]


def main(job_folder: str) -> None:
    """Run the job in ``job_folder`` to its end. The kernel side ends with this process."""
    job = Path(job_folder)
    request = json.loads((job / protocol.REQUEST).read_bytes())
    close_own_memory()
    asyncio.run(Driver(job, request).run())
