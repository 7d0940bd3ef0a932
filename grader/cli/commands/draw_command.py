"""``grader data draw``: an assignment with data of the teacher's own."""

from __future__ import annotations

import shutil
from pathlib import Path

from rich.text import Text

from grader.cli.arguments import Language
from grader.cli.demo import SAMPLES
from grader.cli.terminal import choose_translation, config_folder, plain, say, screen
from grader.data import generators, hidden_sets
from grader.data.tables import write_table
from grader.i18n.message import message
from grader.models.errors import AssignmentError, OutputError
from grader.spec import discovery
from grader.spec.listing import STARTER

NOT_COPIED = (SAMPLES, "__pycache__", ".*")


def draw_assignment(name: str, out: Path | None, lang: Language | None) -> None:
    """Copy an assignment, with a table that follows the teacher's own rule, and say what students get."""
    translation = choose_translation(lang)
    assignment = discovery.by_name(name)
    folder = out or Path(f"{assignment.id}-own")
    table = generators.draw_own_table(assignment, hidden_sets.load_secret(config_folder()))
    assert assignment.data is not None  # else nothing could be drawn
    if folder.exists():
        raise AssignmentError([message("{path}: exists already; choose another folder with --out", path=folder)])
    try:
        shutil.copytree(assignment.folder, folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
        write_table(folder / assignment.data.table.relative_to(assignment.folder), assignment.data, table)
    except OSError as error:
        raise OutputError(
            message(
                "{path}: cannot be written: {error}; choose another folder with --out",
                path=folder, error=error.strerror,
            )
        ) from error  # fmt: skip
    names = [path.name for path in assignment.data.files]
    names += [STARTER] if (folder / STARTER).is_file() else []
    done = translation.text("{path}: your own copy of {id}, with its own rule.", path=folder, id=assignment.id)
    screen.print(Text(plain(done), style="green"), soft_wrap=True)
    say(translation.text("For your students: {names}", names=", ".join(names)))
    say(translation.text("To grade, on this machine: grader grade {path} PATH...", path=folder))
