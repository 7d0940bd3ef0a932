"""What people do with this project, one command each: ``nox -s fast``. Runs in the active environment.

Set it up once with the second line of README.md; ``nox -l`` lists the commands.
"""

from __future__ import annotations

from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "fast"]

SOLUTIONS = Path("reference/solutions")


@nox.session
def test(session: nox.Session) -> None:
    """Run every test (twenty to twenty-five minutes on two cores)."""
    session.run("pytest", *session.posargs)


@nox.session
def fast(session: nox.Session) -> None:
    """Run the tests that start no notebook (about a minute and a half)."""
    session.run("pytest", "-m", "fast", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", "grader", "tests", "benchmarks")


@nox.session
def types(session: nox.Session) -> None:
    """Check types."""
    session.run("mypy")


@nox.session
def messages(session: nox.Session) -> None:
    """Bring the catalogues of translations up to date with the sentences in the source."""
    session.run("python", "-m", "grader.i18n.message_extraction")


@nox.session
def starters(session: nox.Session) -> None:
    """Write the starter notebook of every assignment again from its reference solution."""
    code = "import sys; from pathlib import Path; from grader.spec.starter import write_starter as write; "
    for solution in sorted(SOLUTIONS.glob("*.py")):
        name = solution.stem.replace("_", "-")
        target = Path("assignments", name, "starter.ipynb")
        if target.exists():
            session.run("python", "-c", f"{code}write(Path({str(solution)!r}), {name!r}, Path({str(target)!r}))")


@nox.session
def lock(session: nox.Session) -> None:
    """Pin every dependency but PyTorch for Python 3.11 to 3.13 in constraints.txt (needs uv)."""
    extras = ("libraries", "data", "push", "reference", "test")
    session.run(
        *("uv", "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11"),
        *(f"--extra={extra}" for extra in extras),
        *("--no-annotate", "--custom-compile-command", "nox -s lock", "--upgrade", "-q", "-o", "constraints.txt"),
        external=True,
    )


@nox.session
def screenshots(session: nox.Session) -> None:
    """Take the pictures of README.md again: run the demo, open its pages in Chromium."""
    session.run("python", "docs/screenshots.py")
