"""Lines that begin with % or !, and what asks somebody to type: as far as they mean something where nobody looks on."""

from __future__ import annotations

import codecs
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from . import log
from .kinds import Kind

INTERACTIVE = ("notebook", "nbagg", "widget", "ipympl", "qt", "qt4", "qt5", "qt6", "tk", "gtk", "gtk3", "wx", "osx")
PYTHON_MODULE = re.compile(r"(?<![\w/.-])(?:\S*/)?python[\d.]*\s+-m\s+(pip|gdown|kaggle)\b")
SHELL = "/bin/bash"
MAX_OUTPUT = 16 << 20  # bytes of one command; far more than is kept of a cell


def start(shell: Any, kernel: Any) -> None:
    """``shell`` is IPython's, ``kernel`` the one whose ``input`` the notebook calls."""
    for name in ("pip", "conda", "mamba"):
        shell.register_magic_function(_command(shell, name), "line", name)
    for name in ("tensorflow_version", "tensorboard"):
        shell.register_magic_function(_idle(name), "line", name)
    shell.enable_matplotlib = _drawing_inline(shell.enable_matplotlib)
    extensions = shell.extension_manager
    extensions.load_extension = _without_extensions_of_pages(extensions.load_extension)
    shell.register_magic_function(lambda line, cell: shell.run_cell_magic("bash", line, cell), "cell", "shell")
    shell.system = lambda command: _system(shell, command)
    kernel.raw_input, kernel.getpass = _nobody("input"), _nobody("getpass")


def _command(shell: Any, name: str) -> Callable[[str], None]:
    return lambda line: shell.system(f"{name} {line}")


def _idle(name: str) -> Callable[[str], None]:
    return lambda line: log.note(Kind.PLACE, f"%{name} {line}".strip())


def _drawing_inline(real: Callable[..., Any]) -> Callable[..., Any]:
    """``%matplotlib``: a window or a widget would have nobody before it, and leave no picture in the notebook."""

    def enable_matplotlib(gui: Any = None) -> Any:
        if str(gui).lower() in INTERACTIVE:
            log.note(Kind.INSTEAD, f"%matplotlib {gui}", "%matplotlib inline")
            gui = "inline"
        return real(gui)

    return enable_matplotlib


def _without_extensions_of_pages(real: Callable[[str], Any]) -> Callable[[str], Any]:
    """``%load_ext``: TensorBoard, and what only Colab has."""

    def load_extension(name: str) -> Any:
        if name.startswith(("tensorboard", "google.")):
            return log.note(Kind.PLACE, f"%load_ext {name}")
        return real(name)

    return load_extension


def _system(shell: Any, command: str) -> None:
    """``!command``: through a pipe, for there is no terminal to give it. Its exit status is left in ``_exit_code``."""
    command = PYTHON_MODULE.sub(r"\1", shell.var_expand(command, depth=2))
    program = SHELL if os.path.exists(SHELL) else shutil.which("sh")  # noqa: PTH110
    words = [program or "sh", "-c", command]
    if command.rstrip().endswith("&"):
        # Left running: nobody reads what it says.
        subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shell.user_ns["_exit_code"] = 0
        return
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as started:
        _pass_on(started.stdout)
    shell.user_ns["_exit_code"] = started.returncode


def _pass_on(output: Any) -> None:
    """As it comes; a flood is read to its end, and not kept in memory until somebody takes it."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    left = MAX_OUTPUT
    while piece := os.read(output.fileno(), 1 << 16):
        if left > 0:
            sys.stdout.write(decoder.decode(piece))
            sys.stdout.flush()
        left -= len(piece)


def _nobody(function: str) -> Callable[..., str]:
    def asked(prompt: Any = "", *_args: Any, **_kwargs: Any) -> str:
        from IPython.core.error import StdinNotImplementedError

        raise StdinNotImplementedError(
            f"{function}({str(prompt)[:100]!r}): nobody is there to type while homework is graded. "
            f"Write the value into the code instead of calling {function}()."
        )

    return asked
