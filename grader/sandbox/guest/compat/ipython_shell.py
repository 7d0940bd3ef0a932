"""Changes to IPython: magics, shell commands, ``input()`` and tracebacks, for a notebook without a user or a screen."""

from __future__ import annotations

import codecs
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from .library_listing import explain
from .notes import Kind, note

WINDOW_BACKENDS = ("notebook", "nbagg", "widget", "ipympl", "qt", "qt4", "qt5", "qt6", "tk", "gtk", "gtk3", "wx", "osx")
PYTHON_MODULE = re.compile(r"(?<![\w/.-])(?:\S*/)?python[\d.]*\s+-m\s+(pip|gdown|kaggle)\b")
INFORMING = ("watermark", "version_information", "autotime")  # extensions, not installed, that change nothing
SHELL = "/bin/bash"
MAX_OUTPUT = 16 << 20  # bytes of one command; far more than a cell's output keeps
GUEST_FOLDER = str(Path(__file__).parents[1])
MAX_CHAIN = 20  # exceptions that caused one another


def install(shell: Any, kernel: Any) -> None:
    """Change IPython's ``shell``, and the ``kernel`` whose ``input`` the notebook calls."""
    for name in ("pip", "conda", "mamba"):
        shell.register_magic_function(_command_magic(shell, name), "line", name)
    for name in ("tensorflow_version", "tensorboard", *INFORMING):
        shell.register_magic_function(_inert_magic(name), "line", name)
    shell.enable_matplotlib = _inline_matplotlib(shell.enable_matplotlib)
    extensions = shell.extension_manager
    extensions.load_extension = _skip_page_extensions(extensions.load_extension)
    shell.register_magic_function(lambda line, cell: shell.run_cell_magic("bash", line, cell), "cell", "shell")
    shell.system = lambda command: _run_command(shell, command)
    kernel.raw_input, kernel.getpass = _refuse_input("input"), _refuse_input("getpass")
    _hide_guest_frames(shell.InteractiveTB)


# ------------------------------------------------------------------ magics


def _command_magic(shell: Any, name: str) -> Callable[[str], None]:
    return lambda line: shell.system(f"{name} {line}")


def _inert_magic(name: str) -> Callable[[str], None]:
    return lambda line: note(Kind.PLACE, f"%{name} {line}".strip())


def _inline_matplotlib(enable: Callable[..., Any]) -> Callable[..., Any]:
    """Make ``%matplotlib`` draw inline: a window or a widget would leave no image in the notebook."""

    def enable_matplotlib(gui: Any = None) -> Any:
        if str(gui).lower() in WINDOW_BACKENDS:
            note(Kind.INSTEAD, f"%matplotlib {gui}", "%matplotlib inline")
            gui = "inline"
        return enable(gui)

    return enable_matplotlib


def _skip_page_extensions(load: Callable[[str], Any]) -> Callable[[str], Any]:
    """Make ``%load_ext`` ignore TensorBoard and Colab's extensions, which need a web page, and those that inform."""

    def load_extension(name: str) -> Any:
        if name.startswith(("tensorboard", "google.")) or (name in INFORMING and find_spec(name) is None):
            return note(Kind.PLACE, f"%load_ext {name}")
        return load(name)

    return load_extension


# ------------------------------------------------------------------ shell commands and input


def _run_command(shell: Any, command: str) -> None:
    """Run ``!command`` through a pipe, because there is no terminal; put its exit status into ``_exit_code``."""
    command = PYTHON_MODULE.sub(r"\1", shell.var_expand(command, depth=2))
    program = SHELL if os.path.exists(SHELL) else shutil.which("sh")  # noqa: PTH110
    arguments = [program or "sh", "-c", command]
    if command.rstrip().endswith("&"):  # stays in the background; its output is not read
        quiet = subprocess.DEVNULL
        subprocess.Popen(arguments, stdin=quiet, stdout=quiet, stderr=quiet)
        shell.user_ns["_exit_code"] = 0
        return
    with subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        _forward_output(process.stdout)
    shell.user_ns["_exit_code"] = process.returncode


def _forward_output(output: Any) -> None:
    """Print the output as it arrives; read a flood to its end without keeping it in memory."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    left = MAX_OUTPUT
    while piece := os.read(output.fileno(), 1 << 16):
        if left > 0:
            sys.stdout.write(decoder.decode(piece))
            sys.stdout.flush()
        left -= len(piece)


def _refuse_input(function: str) -> Callable[..., str]:
    def refuse(prompt: Any = "", *_args: Any, **_kwargs: Any) -> str:
        from IPython.core.error import StdinNotImplementedError

        raise StdinNotImplementedError(
            f"{function}({str(prompt)[:100]!r}): no keyboard input is available while homework is graded. "
            f"Write the value into the code instead of calling {function}()."
        )

    return refuse


# ------------------------------------------------------------------ tracebacks


def _hide_guest_frames(formatter: Any) -> None:
    """Leave this package's frames out of tracebacks: the student has not written them. Explain removed names."""
    format_traceback = formatter.structured_traceback

    def structured_traceback(etype: Any, value: Any, traceback: Any = None, *args: Any, **kwargs: Any) -> Any:
        explain(value, getattr(value, "__traceback__", None))
        cause, left = value, MAX_CHAIN
        while isinstance(cause, BaseException) and left:
            cause.__traceback__ = _without_guest(cause.__traceback__)
            cause, left = cause.__cause__ or cause.__context__, left - 1
        return format_traceback(etype, value, _without_guest(traceback), *args, **kwargs)

    formatter.structured_traceback = structured_traceback


def _without_guest(traceback: TracebackType | None) -> TracebackType | None:
    """Return the other frames in the same order; all frames if no others exist."""
    frames = []
    step = traceback
    while step is not None:
        if not step.tb_frame.f_code.co_filename.startswith(GUEST_FOLDER):
            frames.append(step)
        step = step.tb_next
    rest: TracebackType | None = None
    for frame in reversed(frames):
        rest = TracebackType(rest, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return rest or traceback
