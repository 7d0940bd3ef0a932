"""``grader doctor``: everything that grading needs, tried on this machine."""

from __future__ import annotations

import os

import typer

from grader.cli import console, doctor
from grader.cli.arguments import Language
from grader.cli.terminal import EXIT_OPERATOR, choose_translation, config_folder, errors, screen
from grader.data.cache.cached_sets import default_library
from grader.spec.listing import assignment_folders


def examine_machine(lang: Language | None) -> None:
    """Try every part and print the findings. Exits with ``EXIT_OPERATOR`` if one is missing."""
    translation = choose_translation(lang)
    with errors.status(translation.text("Trying everything; this takes some ten seconds …")):
        findings = doctor.examine(assignment_folders(), config_folder(), default_library(), os.environ)
    screen.print(console.doctor_table(findings, translation))
    if any(finding.state is doctor.State.MISSING for finding in findings):
        raise typer.Exit(EXIT_OPERATOR)
