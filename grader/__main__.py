"""Start of the program: the command ``grader``, and ``python -m grader``."""

import sys
from pathlib import Path


def main() -> None:
    """Run the command line without importing anything from the current folder, where students' files may lie."""
    forget_current_folder()
    from grader.cli.main import main as run  # noqa: PLC0415  after the path has been cleaned

    run()


def forget_current_folder() -> None:
    """Remove the current folder from the places of modules: ``python -m`` and an empty part of PYTHONPATH add it."""
    here = Path.cwd()
    sys.path[:] = [place for place in sys.path if place and Path(place).absolute() != here]


if __name__ == "__main__":
    main()
