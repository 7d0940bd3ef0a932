"""What a notebook written for Colab, Kaggle or its author's own computer finds here in place of these.

Everything is put in before the first cell. It knows no more than the notebook may: it acts in the notebook's own
process, on the files that were handed out with the homework, and what it did it notes for the author.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import commands, downloads, log, magics, places, reading, tracking
from .files import Finder
from .reading import AfterImport
from .sources import Handout


def start(app: Any, job: Path, request: Mapping[str, Any], after_import: AfterImport) -> None:
    """``app`` is IPython's kernel; ``after_import`` acts on a module now, or once the notebook has imported it."""
    handout = Handout.of(job, request)
    finder = Finder(job, handout.library)
    downloads.start(handout, job / "home", after_import)
    reading.start(finder, after_import)
    places.start(handout)
    tracking.start()
    magics.start(app.shell, app.kernel)
    commands.lay_out(job)

    def cell_begins(_info: Any) -> None:
        finder.forget()

    def cell_ended(_result: Any) -> None:
        commands.take_notes(job, log.note)

    app.shell.events.register("pre_run_cell", cell_begins)
    app.shell.events.register("post_run_cell", cell_ended)
