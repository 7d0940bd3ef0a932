"""Which confinement this machine can give, each level really tried, and the honest word where it can give none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from grader.i18n.message import Message
from grader.models.errors import SandboxError
from grader.sandbox import bubblewrap, container, pool
from grader.sandbox.base import Sandbox
from grader.sandbox.pool import NamespaceSandbox
from grader.sandbox.process import ProcessSandbox
from grader.sandbox.smoke_test import answered, trial_job

UNCONFINED = "process"


@dataclass(frozen=True, slots=True)
class _Around:
    """What a sandbox may know of the grader: its environment, the threads of each notebook, whether to warm up."""

    inherited: Mapping[str, str]
    threads: int = 1
    preload: bool = True


def _namespaces(around: _Around) -> Sandbox:
    if sys.platform != "linux":
        raise SandboxError("namespaces: they exist on Linux only")
    sandbox = NamespaceSandbox(around.inherited, preload=around.preload)
    if around.preload:
        sandbox.warm_up(around.threads)
    return sandbox


def _bubblewrap(around: _Around) -> Sandbox:
    return ProcessSandbox(around.inherited, confinement=bubblewrap.NAME, command=bubblewrap.bubblewrap_command)


def _container(around: _Around) -> Sandbox:
    return ProcessSandbox(around.inherited, confinement=container.NAME, command=container.container_command)


def _process(around: _Around) -> Sandbox:
    return ProcessSandbox(around.inherited)


# Best first; what ``auto`` goes through. ``process`` is never taken unless it is asked for.
CONFINED: dict[str, Callable[[_Around], Sandbox]] = {
    pool.NAME: _namespaces,
    bubblewrap.NAME: _bubblewrap,
    container.NAME: _container,
}
LEVELS = {**CONFINED, UNCONFINED: _process, "none": _process}
REASONS: dict[str, Callable[[Mapping[str, str]], Message | None]] = {
    bubblewrap.NAME: bubblewrap.available,
    container.NAME: container.available,
}


def open_sandbox(level: str, inherited: Mapping[str, str], *, threads: int = 1, preload: bool = True) -> Sandbox:
    """The sandbox for ``--sandbox LEVEL``, tried with a small notebook. ``preload`` warms up for a class.

    Raises SandboxError when the level, or with ``auto`` every level that confines, does not work here: it says why,
    and what to install.
    """
    around = _Around(inherited, threads, preload)
    if level != "auto":
        return _tried(level, around)
    problems = []
    for name in CONFINED:
        try:
            return _tried(name, around)
        except SandboxError as error:
            problems.append(str(error))
    raise SandboxError(
        "\n".join(
            [
                "No confinement works on this machine, so notebooks of others are not run:",
                *(f"  {problem}" for problem in problems),
                "Install one of them, or, for work that you would open yourself, say --sandbox none.",
            ]
        )
    )


def why_not(level: str, inherited: Mapping[str, str]) -> Message | None:
    """None when a notebook was really run at this level; otherwise why not, and what to do."""
    reason = _reason(level, inherited)
    if reason is not None:
        return reason
    try:
        _opened(level, _Around(inherited, preload=False)).close()
    except SandboxError as error:
        return error.message
    return None


def _tried(level: str, around: _Around) -> Sandbox:
    if level not in LEVELS:
        raise SandboxError(f"--sandbox: found {level!r}, expected one of auto, {', '.join(LEVELS)}")
    reason = _reason(level, around.inherited)
    if reason is not None:
        raise SandboxError(f"{level}: {reason}")
    return _opened(level, around)


def _reason(level: str, inherited: Mapping[str, str]) -> Message | None:
    return REASONS[level](inherited) if level in REASONS else None


def _opened(level: str, around: _Around) -> Sandbox:
    """The level's sandbox once a small notebook has run at that level; SandboxError when it does not.

    The trial goes through another, cold one: the one for the class warms up meanwhile.
    """
    sandbox = LEVELS[level](around)
    trial = LEVELS[level](replace(around, preload=False)) if around.preload else sandbox
    try:
        _try_out(level, trial, around.threads)
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
        raise SandboxError(f"{level}: {error}") from error
    if not answered(reply):
        last = reply.log.strip().splitlines()[-1:]
        raise SandboxError(f"{level}: a trial notebook did not run: {''.join(last) or reply.ended}")
