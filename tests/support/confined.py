"""What every confining level must show: a notebook that looks around, and two that do their homework."""

from __future__ import annotations

import io
import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

from grader.models.assignment import Limits
from grader.sandbox.base import EndReason, Job, Question, Reply, Sandbox
from grader.sandbox.guest import protocol
from tests.support.notebooks import notebook_bytes

LIMITS = Limits(seconds=120, memory_mb=3000)
TOKEN = "not for students"
INHERITED: Mapping[str, str] = {**os.environ, "LMS_TOKEN": TOKEN}

LOOK = """
import json, os, pathlib, socket

def can_read(path):
    try:
        return len(open(path, "rb").read(1)) >= 0
    except OSError:
        return False

def can_write(path):
    try:
        open(path, "wb").close()
    except OSError:
        return False
    return True

def connects(family, address):
    try:
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.settimeout(2)
            s.connect(address)
    except OSError:
        return False
    return True

status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
processes = [p for p in os.listdir("/proc") if p.isdigit()]
switches = ["/proc/sys/kernel/core_pattern", "/proc/sys/vm/swappiness", "/proc/sysrq-trigger",
            "/proc/irq/default_smp_affinity"]
seen = {
    "secret": can_read(SECRET) or os.path.exists(os.path.dirname(SECRET)),
    "accounts": can_read("/etc/shadow"),
    "homes": sorted(os.listdir("/home")) if os.path.isdir("/home") else [],
    "tmp": [n for n in os.listdir("/tmp") if os.lstat("/tmp/" + n).st_uid != os.getuid()],
    "commands": [open(f"/proc/{p}/cmdline").read() for p in processes if os.path.exists(f"/proc/{p}")],
    "pid": os.getpid(),
    "environment": [open(f"/proc/{p}/environ").read() for p in processes if can_read(f"/proc/{p}/environ")],
    "variables": dict(os.environ),
    "loopback": connects(socket.AF_INET, ("127.0.0.1", PORT)),
    "abstract": connects(socket.AF_UNIX, ABSTRACT),
    "outside": connects(socket.AF_INET, ("192.0.2.1", 80)) or connects(socket.AF_INET, ("169.254.169.254", 80)),
    "interfaces": [name for _, name in socket.if_nameindex()],
    "written": [p for p in ["/x", "/usr/x", "/etc/x", "/guest/x", "/job/x", "/job/hidden/x", "/job/request.json",
                "/dev/x", "/root/x", "/home/x", "/var/x", *switches] if can_write(p)],
    "writable": [p for p in ["/job/work/x", "/job/home/x", "/job/tmp/x", "/tmp/x", "/dev/shm/x"] if can_write(p)],
    "guest": sorted(os.listdir("/guest")),
    "hostname": socket.gethostname(),
    "capabilities": [status[name].strip() for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")],
    "no_new_privileges": status["NoNewPrivs"].strip(),
    "filter": status["Seccomp"].strip(),
    "grader": __import__("importlib.util").util.find_spec("grader") is not None and can_read(
        pathlib.Path(__import__("importlib.util").util.find_spec("grader").origin or "/nowhere")),
}
print(json.dumps(seen))
"""

SCIKIT_LEARN = """
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
rng = np.random.default_rng(0)
X = rng.normal(size=(300, 2)); y = (X[:, 0] > 0).astype(int)
print(cross_val_score(LogisticRegression(), X, y, n_jobs=2).mean() > 0.8)
model = LogisticRegression().fit(X, y)
"""

KERAS = """
import keras, numpy as np, matplotlib.pyplot as plt
rng = np.random.default_rng(0)
X = rng.normal(size=(600, 2)); y = (X[:, 0] > 0).astype(int)
model = keras.Sequential([keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")])
model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
history = model.fit(X, y, epochs=6, verbose=0)
model.save("model.keras"); keras.saving.load_model("model.keras")
plt.plot(history.history["loss"]); plt.show()
"""


@contextmanager
def strangers() -> Iterator[tuple[int, str]]:
    """Open a TCP port of this machine and a local socket without a file, both listening."""
    name = f"grader-test-{os.getpid()}"
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as local:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        local.bind("\0" + name)
        local.listen()
        yield tcp.getsockname()[1], "\0" + name


def look_around(sandbox: Sandbox, secret: Path) -> dict[str, Any]:
    """What the notebook printed of itself and of the machine; ``secret`` is a file that exists on the host."""
    with strangers() as (port, name):
        known = f"SECRET, PORT, ABSTRACT = {str(secret)!r}, {port}, {name!r}\n"
        reply = sandbox.run(Job(notebook_bytes(known + LOOK), {}, LIMITS))
    seen: dict[str, Any] = json.loads(texts(reply)[0])
    return seen


def assert_saw_nothing(seen: dict[str, Any]) -> None:
    assert not seen["secret"] and not seen["accounts"]
    assert set(seen["homes"]) <= set(Path(sys.base_prefix).parts), "at most the way to the interpreter"
    assert seen["tmp"] == []
    assert seen["pid"] < 50 and not [command for command in seen["commands"] if "pytest" in command]
    assert TOKEN not in "".join(seen["environment"]) and "LMS_TOKEN" not in seen["variables"]
    assert str(Path.home()) + "/" not in json.dumps(seen["variables"])
    assert (seen["loopback"], seen["abstract"], seen["outside"]) == (False, False, False)
    assert set(seen["interfaces"]) <= {"lo"}
    assert seen["written"] == []
    assert len(seen["writable"]) == 5, "where a notebook may write, it can"
    assert set(seen["capabilities"]) == {"0" * 16}
    assert (seen["no_new_privileges"], seen["filter"]) == ("1", "2")
    assert seen["hostname"] != socket.gethostname()
    assert not seen["grader"]


def question() -> Question:
    rng = np.random.default_rng(1)
    public, hidden = rng.normal(size=(100, 2)), rng.normal(size=(protocol.SINGLE_ROWS + protocol.BATCH_ROWS + 50, 2))
    return Question(
        task="classification",
        columns=("a", "b"),
        public_inputs=public,
        public_targets=(public[:, 0] > 0).astype(np.int64),
        hidden_inputs=hidden,
    )


def hidden_accuracy(sandbox: Sandbox, code: str) -> float:
    """Return the accuracy of an honest notebook's answers to ``question``, 0.0 to 1.0."""
    asked = question()
    reply = sandbox.run(Job(notebook_bytes(code), {}, LIMITS, question=asked))
    assert reply.ended is EndReason.FINISHED, reply.log
    assert reply.predictions is not None, (errors(reply), reply.log)
    answers = np.load(io.BytesIO(reply.predictions), allow_pickle=False)
    return float(np.mean((answers.reshape(len(answers)) > 0.5) == (asked.hidden_inputs[:, 0].astype(float) > 0)))


def texts(reply: Reply) -> list[str]:
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in _code_cells(reply)]


def errors(reply: Reply) -> list[str | None]:
    found = ((output.ename for output in cell.outputs if output.output_type == "error") for cell in _code_cells(reply))
    return [next(names, None) for names in found]


def _code_cells(reply: Reply) -> list[Any]:
    assert reply.executed is not None, reply.log
    notebook = nbformat.reads(reply.executed.decode(), as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]
