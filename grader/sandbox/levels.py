"""The confinement levels, and the choice of one: each is tried with a small notebook before it is used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import nbformat

from grader.i18n.message import Message, join_lines, message, prefixed
from grader.models.assignment import Limits
from grader.models.errors import SandboxError
from grader.sandbox import bubblewrap, container, namespaces
from grader.sandbox.base import EndReason, Job, Reply, Sandbox
from grader.sandbox.namespaces import NamespaceSandbox
from grader.sandbox.process import ProcessSandbox

UNCONFINED = "process"


@dataclass(frozen=True, slots=True)
class _Settings:
    """Settings of a sandbox: the grader's environment, threads of each notebook, and whether to warm up."""

    inherited: Mapping[str, str]
    threads: int = 1
    preload: bool = True


def _namespaces(settings: _Settings) -> Sandbox:
    if sys.platform != "linux":
        raise SandboxError(message("Namespaces exist only on Linux."))
    sandbox = NamespaceSandbox(settings.inherited, preload=settings.preload)
    if settings.preload:
        sandbox.warm_up(settings.threads)
    return sandbox


def _bubblewrap(settings: _Settings) -> Sandbox:
    return ProcessSandbox(settings.inherited, confinement=bubblewrap.NAME, command=bubblewrap.bubblewrap_command)


def _container(settings: _Settings) -> Sandbox:
    return ProcessSandbox(settings.inherited, confinement=container.NAME, command=container.container_command)


def _process(settings: _Settings) -> Sandbox:
    return ProcessSandbox(settings.inherited)


# Best first: the order in which ``auto`` tries them. ``process`` is used only on request.
CONFINED: dict[str, Callable[[_Settings], Sandbox]] = {
    namespaces.NAME: _namespaces,
    bubblewrap.NAME: _bubblewrap,
    container.NAME: _container,
}
LEVELS = {**CONFINED, UNCONFINED: _process, "none": _process}
CHECKS: dict[str, Callable[[Mapping[str, str]], Message | None]] = {
    bubblewrap.NAME: bubblewrap.find_problem,
    container.NAME: container.find_problem,
}


def open_sandbox(level: str, inherited: Mapping[str, str], *, threads: int = 1, preload: bool = True) -> Sandbox:
    """Return the sandbox for ``--sandbox LEVEL`` after a trial. ``preload`` warms up for a class.

    Raise SandboxError if the level, or with ``auto`` every confined level, does not work here. Its message gives the
    reasons and what to install.
    """
    settings = _Settings(inherited, threads, preload)
    if level != "auto":
        return _open_checked(level, settings)
    problems = []
    for name in CONFINED:
        try:
            return _open_checked(name, settings)
        except SandboxError as error:
            problems.append(prefixed("  ", error.message))
    raise SandboxError(
        join_lines(
            [
                message("No confinement works on this machine, so notebooks of other people are not run:"),
                *problems,
                message("Install one of these, or use --sandbox none for notebooks that you would open yourself."),
            ]
        )
    )


def find_level_problem(level: str, inherited: Mapping[str, str]) -> Message | None:
    """Run a small notebook at this level. Return None if it worked, else the obstacle and its remedy."""
    problem = _check(level, inherited)
    if problem is not None:
        return problem
    try:
        _open(level, _Settings(inherited, preload=False)).close()
    except SandboxError as error:
        return error.message
    return None


def _open_checked(level: str, settings: _Settings) -> Sandbox:
    if level not in LEVELS:
        raise SandboxError(
            message(
                "--sandbox: found {found}, expected one of {expected}.",
                found=level,
                expected=", ".join(["auto", *LEVELS]),
            )
        )
    problem = _check(level, settings.inherited)
    if problem is not None:
        raise SandboxError(message("{level}: {problem}", level=level, problem=problem))
    return _open(level, settings)


def _check(level: str, inherited: Mapping[str, str]) -> Message | None:
    return CHECKS[level](inherited) if level in CHECKS else None


def _open(level: str, settings: _Settings) -> Sandbox:
    """Return the level's sandbox after a trial notebook. Raise SandboxError if the notebook does not run.

    The trial uses a second, cold sandbox while the one for the class warms up.
    """
    sandbox = LEVELS[level](settings)
    trial = LEVELS[level](replace(settings, preload=False)) if settings.preload else sandbox
    try:
        _try_out(level, trial, settings.threads)
    except BaseException:
        sandbox.close()
        raise
    finally:
        if trial is not sandbox:
            trial.close()
    return sandbox


def _try_out(level: str, sandbox: Sandbox, threads: int) -> None:
    try:
        reply = sandbox.run(trial_job(threads))
    except SandboxError as error:
        raise SandboxError(message("{level}: {problem}", level=level, problem=error.message)) from error
    if not passed_trial(reply):
        last = reply.log.strip().splitlines()[-1:]
        error_text = "".join(last) or reply.ended.value
        raise SandboxError(message("{level}: the trial notebook did not run: {error}", level=level, error=error_text))


def trial_job(threads: int = 1) -> Job:
    """Return the smallest job that shows whether a sandbox works."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(6 * 7)")])
    return Job(str(nbformat.writes(notebook)).encode(), {}, Limits(seconds=60), threads)


def passed_trial(reply: Reply) -> bool:
    return reply.ended is EndReason.FINISHED and b"42" in (reply.executed or b"")
