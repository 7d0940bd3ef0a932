"""What a notebook written for Colab, Kaggle or its author's own computer finds here in place of these.

Everything is put in before the first cell. It knows no more than the notebook may: it acts in the notebook's own
process, on the files that were handed out with the homework, and what it did it notes for the author.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import colab, commands, downloads, log, magics, otter, reading, tracebacks, tracking
from .files import Finder
from .reading import AfterImport
from .sources import Handout


def start(app: Any, job: Path, request: Mapping[str, Any], after_import: AfterImport) -> None:
    """``app`` is IPython's kernel; ``after_import`` acts on a module now, or once the notebook has imported it."""
    handout = Handout.of(job, request)
    finder = Finder(job, handout)
    downloads.start(handout, job / "home", after_import)
    reading.start(finder, after_import)
    colab.start(handout, finder)
    tracking.start()
    otter.start()
    magics.start(app.shell, app.kernel)
    tracebacks.start(app.shell)
    commands.lay_out(job)
    _import_from_beside()

    def cell_begins(_info: Any) -> None:
        finder.forget()

    def cell_ended(_result: Any) -> None:
        commands.take_notes(job, log.note)

    app.shell.events.register("pre_run_cell", cell_begins)
    app.shell.events.register("post_run_cell", cell_ended)


def _import_from_beside() -> None:
    """As everywhere, a notebook may import the modules beside it: after Python's own, before what is installed.

    This process was started so that it would not (-P), for what ran in it until now.
    """
    packages = (place for place, path in enumerate(sys.path) if Path(path).name in ("site-packages", "dist-packages"))
    if "" not in sys.path:
        sys.path.insert(next(packages, 0), "")
