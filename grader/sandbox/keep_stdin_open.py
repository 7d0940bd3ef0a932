"""Run alone, as ``python hold.py COMMAND...``: the command's input stays open for as long as this process lives.

So a container learns of its client's death: see ``guest.boot.container_init``.
"""

from __future__ import annotations

import os
import subprocess
import sys


def main(command: list[str]) -> int:
    with subprocess.Popen(command, stdin=subprocess.PIPE) as client:
        code = client.wait()
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))
