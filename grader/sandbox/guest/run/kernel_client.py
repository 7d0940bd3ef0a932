"""The kernel as the driver sees it: a process that it can only interrupt, and the messages of its sockets."""

from __future__ import annotations

import os
import queue
import threading
import time
from contextlib import suppress
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient

from .. import protocol


class RemoteKernel:
    """The kernel side of the job: ``kernel_host`` at the other ends of standard input and output."""

    def __init__(self, settings: bytes) -> None:
        self._ended = threading.Event()
        self._send(settings + b"\n")
        threading.Thread(target=self._wait_for_end, daemon=True).start()

    async def is_alive(self) -> bool:
        """Return True while the process runs."""
        return not self._ended.is_set()

    async def interrupt_kernel(self) -> None:
        """Interrupt the kernel, like Ctrl-C in a terminal, and the processes it started in its session."""
        self._send(protocol.INTERRUPT)

    def _send(self, data: bytes) -> None:
        with suppress(OSError):  # the kernel side has ended, which ``is_alive`` tells
            os.write(1, data)

    def _wait_for_end(self) -> None:
        while os.read(0, 4096):
            pass
        self._ended.set()


class KernelClient(AsyncKernelClient):  # type: ignore[misc]
    """Client that asks the process itself if it is alive: a heartbeat may be late on a busy machine."""

    kernel: RemoteKernel

    async def _async_is_alive(self) -> bool:
        return await self.kernel.is_alive()

    is_alive = _async_is_alive

    async def wait_until_answering(self, seconds: float) -> None:
        """Wait until the kernel has answered on both channels. Raises RuntimeError if it dies or takes too long.

        jupyter_client's ``wait_for_ready`` would listen for another fifth of a second after the last message.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and await self.kernel.is_alive():
            request = self.kernel_info()
            try:
                await self._reply_to(request, self.shell_channel, "kernel_info_reply")
                while (await self._reply_to(request, self.iopub_channel, "status"))["execution_state"] != "idle":
                    pass
            except queue.Empty:
                continue  # sent before iopub was connected: those messages are lost
            return
        raise RuntimeError(f"the kernel did not answer within {seconds:.0f} s")

    @staticmethod
    async def _reply_to(request: str, channel: Any, kind: str) -> dict[str, Any]:
        """Return the content of the next reply of that kind. Raises queue.Empty after a second without messages."""
        while True:
            reply = await channel.get_msg(timeout=1)
            if reply["msg_type"] == kind and reply["parent_header"].get("msg_id") == request:
                content: dict[str, Any] = reply["content"]
                return content
