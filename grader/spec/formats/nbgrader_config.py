"""Read from a course's ``nbgrader_config.py`` what changes how its notebooks run. The file is parsed, not run."""

from __future__ import annotations

import ast
from pathlib import Path

NAME = "nbgrader_config.py"
CELL_SECONDS = 30.0  # nbgrader's default
# nbgrader's class and those from which it inherits the setting; the first that is set counts.
_CLASSES = ("Execute", "ExecutePreprocessor", "NotebookClient")
_MAX_BYTES = 1 << 20


def cell_seconds(folder: Path) -> float | None:
    """Return the time limit for one cell of the assignment in ``source/<assignment>``, or None for no limit."""
    path = folder.parent.parent / NAME
    try:
        tree = ast.parse(path.read_bytes()[:_MAX_BYTES])
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return CELL_SECONDS
    settings = _settings(tree)
    value = next((settings[name] for name in _CLASSES if name in settings), CELL_SECONDS)
    return None if value is None or value <= 0 else float(value)


def _settings(tree: ast.Module) -> dict[str, float | None]:
    """Return the values of ``c.<class>.timeout = <number or None>`` by class; the last assignment counts."""
    found: dict[str, float | None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            names = ast.unparse(node.targets[0]).split(".")
            if len(names) == 3 and (names[0], names[2]) == ("c", "timeout"):
                found |= _number(names[1], node.value)
    return found


def _number(name: str, node: ast.expr) -> dict[str, float | None]:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return {}  # computed: the default is kept
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value < 1e9):
        return {name: value}
    return {}
