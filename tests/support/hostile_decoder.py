"""A decoder for ``run_isolated`` that does what a hostile file makes a decoder do."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def answer(request: Mapping[str, Any]) -> Any:
    match request["act"]:
        case "double":
            return {"twice": 2 * request["number"]}
        case "sleep":
            time.sleep(60)
        case "allocate":
            return len(bytearray(4 << 30))
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "write":
            return Path(request["path"]).write_bytes(bytes(32 << 20))
        case "print":
            print("not JSON")
        case "describe":
            return {"variables": sorted(os.environ), "folder": str(Path.cwd()), "path": sys.path}
    return None
