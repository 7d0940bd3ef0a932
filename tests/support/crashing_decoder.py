"""The decoder of photos, except that it crashes in the way that the last bytes of a file name."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.data.group_photos import decoder


def answer(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    decoder.SECONDS_PER_PHOTO = 1
    real = decoder._decode

    def crashing(path: Path, *rest: Any, **limits: Any) -> dict[str, Any]:
        content = path.read_bytes()
        if content.endswith(b"crash"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if content.endswith(b"hang"):
            while True:
                time.sleep(1)
        if content.endswith(b"hungry"):
            bytearray(1 << 36)
        return real(path, *rest, **limits)

    decoder._decode = crashing
    return decoder.answer(request)
