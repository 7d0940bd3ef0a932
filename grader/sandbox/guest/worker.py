"""The guest's first process: takes its limits, then runs the notebook. Ours until the first cell starts."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from . import drive, protocol


def main(job_folder: str) -> None:
    job = Path(job_folder)
    request = json.loads((job / protocol.REQUEST).read_bytes())
    set_limits(request["rlimits"])
    asyncio.run(drive.run_job(job, request))


def set_limits(limits: dict[str, Any]) -> None:
    """``{"RLIMIT_FSIZE": bytes, ...}``; inherited by all that follows, and not to be raised again."""
    if sys.platform == "win32":
        return
    import resource

    for name, value in limits.items():
        number = getattr(resource, name, None)
        if number is not None:
            _, hard = resource.getrlimit(number)
            bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(number, (bounded, bounded))
