"""Where nothing confines but the grader is root: the notebook's processes belong to another user of the machine.

They see what that user sees, and reach the network; what is root's alone, such as the secret, they cannot read.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from grader.models.errors import SandboxError
from grader.sandbox.base import Job
from grader.sandbox.job import JobFolder
from grader.sandbox.process import Command, ProcessSandbox, plain_command

USER = "nobody"


def other_user_sandbox(inherited: Mapping[str, str]) -> ProcessSandbox:
    """Raises SandboxError where a process cannot be given to ``USER``: then nothing would protect the secret."""
    if sys.platform == "win32" or os.geteuid() != 0:
        raise SandboxError("another user: only root can start a process as another user")
    import pwd  # noqa: PLC0415  not on Windows

    setpriv = shutil.which("setpriv", path=inherited.get("PATH", os.defpath))
    if setpriv is None:
        raise SandboxError("another user: found no setpriv; install util-linux")
    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        raise SandboxError(f"another user: there is no user {USER!r} here") from None
    command = partial(_command, setpriv=setpriv, user=(user.pw_uid, user.pw_gid))
    return ProcessSandbox(inherited, command=command, mounts=False)


def _command(
    job: Job, folder: JobFolder, inherited: Mapping[str, str], *, setpriv: str, user: tuple[int, int]
) -> Command:
    """The plain one, without any right of root's. The supervisor around it stays root, so that it can end all."""
    folder.give_to(*user)
    plain = plain_command(job, folder, inherited)
    uid, gid = user
    rights = ["--clear-groups", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
    return replace(plain, argv=[setpriv, f"--reuid={uid}", f"--regid={gid}", *rights, "--", *plain.argv])
