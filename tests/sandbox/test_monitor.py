"""Measurements of a running job."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from grader.sandbox.monitor import FREE_SOCKETS, socket_buffers_mb

FILLING = """
import resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (3000, 3000))
pairs = [socket.socketpair() for _ in range(PAIRS)]
for sender, _ in pairs:
    sender.setblocking(False)
    try:
        while sender.send(b"a" * 65536): pass
    except BlockingIOError: pass
print("full", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="networks of their own exist only on Linux")
@pytest.mark.parametrize(
    ("pairs", "counted"), [pytest.param(1000, True, id="a thousand full pairs"), pytest.param(50, False, id="a few")]
)
def test_memory_in_sockets_is_counted(pairs: int, counted: bool) -> None:
    command = ["unshare", "--user", "--net", sys.executable, "-c", FILLING.replace("PAIRS", str(pairs))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        if process.stdout.readline() != b"full\n":
            pytest.skip("no namespaces on this machine")
        measured = socket_buffers_mb([process.pid])
        process.stdin.close()
    # The kernel's default lets each of the thousand senders fill 0.2 MB.
    assert measured > 0.2 * (2 * pairs - FREE_SOCKETS) if counted else measured == 0


def test_sockets_of_the_machine_itself_are_not_counted() -> None:
    assert socket_buffers_mb([os.getpid(), os.getppid()]) == 0
