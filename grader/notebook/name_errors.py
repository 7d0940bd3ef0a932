"""Explanation of NameErrors: which cell of the notebook defines the name, judged from the source alone.

Lines of IPython's own syntax are skipped. A cell that Python cannot parse counts as defining whatever it seems to
assign. Every cell is parsed once; a notebook with more code than a person writes gets no explanations, because parsing
may take a time that grows with the square of a cell's length.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from grader.i18n.message import Message, message

MAX_CELL_CHARACTERS = 10_000
MAX_CHARACTERS = 200_000  # of all cells together
MAX_EXPLAINED = 50

# Possessive quantifiers (*+, ++) keep the time linear in the length of a hostile cell.
_MAGIC = re.compile(r"^\s*+(?:[%!?]|[\w.]++\?++\s*+$)")
_CELL_MAGIC = re.compile(r"^\s*%%(\w+)")
_PYTHON_MAGICS = ("time", "timeit", "capture", "prun", "python", "python3")
_CAPTURED = re.compile(r"^\s*%%capture\s+(?!-)(\w+)")
_ASSIGNED_MAGIC = re.compile(r"^(\s*+[\w, ]++=\s*+)[%!].*$")
_SEEMS_DEFINED = re.compile(
    r"^[ \t]*+(?:(?:async\s++)?def|class)\s++(\w++)|(?:^[ \t]*+|[;,(]\s*+)(\w++)\s*+(?=[,=])"
    r"|\b(?:import|as)\s++(\w++)",
    re.M,
)
_UNDEFINED = re.compile(r"name '([^']+)' is not defined")


def explain_name_errors(sources: Sequence[str], errors: Iterable[tuple[int, str]]) -> tuple[Message, ...]:
    """Return advice on NameErrors, each given as its cell, from 0, and its text.

    ``sources`` are the cells, "" for no code. Only the first ``MAX_EXPLAINED`` errors are explained.
    """
    explained = list(islice(errors, MAX_EXPLAINED))
    if not explained or sum(map(len, sources)) > MAX_CHARACTERS or max(map(len, sources)) > MAX_CELL_CHARACTERS:
        return ()
    defined_in: dict[str, list[int]] = {}
    for index, source in enumerate(sources):
        for name in defined_names(source):
            defined_in.setdefault(name, []).append(index)
    return tuple(_explain(cell, error, defined_in) for cell, error in explained)


def _explain(cell: int, error: str, defined_in: Mapping[str, Sequence[int]]) -> Message:
    found = _UNDEFINED.search(error)
    name = found[1] if found else "?"
    places = defined_in.get(name, ())
    above, below = [index for index in places if index < cell], [index for index in places if index > cell]
    if above:
        return message(
            "Cell {cell} uses {name}, which cell {other} defines. That cell failed before it defined the name; correct "
            "it first.",
            cell=cell + 1, name=name, other=above[-1] + 1,
        )  # fmt: skip
    if below:
        return message(
            "Cell {cell} uses {name}, which only cell {other} defines. Cells are run from top to bottom: move the "
            "definition up, restart, and run all cells.",
            cell=cell + 1, name=name, other=below[0] + 1,
        )  # fmt: skip
    return message(
        "Cell {cell} uses {name}, which no cell defines. It may be left over from a cell that was changed or deleted: "
        "restart, and run all cells.",
        cell=cell + 1, name=name,
    )  # fmt: skip


def defined_names(source: str) -> set[str]:
    """Return the names that a cell defines at its top level."""
    text = python_lines(source)
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {name for group in _SEEMS_DEFINED.findall(text) for name in group if name}
    captured = _CAPTURED.match(source)
    return ({captured[1]} if captured else set()).union(*map(_top_level_definitions, body))


def python_lines(source: str) -> str:
    """Return the Python lines of a cell, with the value of an assigned magic replaced by None."""
    cell_magic = _CELL_MAGIC.match(source)
    if cell_magic is not None:
        if cell_magic[1] not in _PYTHON_MAGICS:
            return ""
        source = source.partition("\n")[2]
    lines = (_ASSIGNED_MAGIC.sub(r"\1None", line) for line in source.splitlines())
    return "\n".join(re.match(r"\s*", line)[0] + "pass" if _MAGIC.match(line) else line for line in lines)  # type: ignore[index]


_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _top_level_definitions(root: ast.AST) -> set[str]:
    """Return the names that executing ``root`` defines; the bodies of functions and classes are not executed by it."""
    defined: set[str] = set()
    waiting: list[ast.AST] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            defined.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            defined |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, _NAMED) and node.name:
            defined.add(node.name)
        elif isinstance(node, ast.Global):
            defined |= set(node.names)
        waiting += _executed_children(node)
    return defined


def _executed_children(node: ast.AST) -> Iterable[ast.AST]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [*node.decorator_list, *node.args.defaults, *(default for default in node.args.kw_defaults if default)]
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *(word.value for word in node.keywords)]
    if isinstance(node, _SCOPES):
        return [node.generators[0].iter] if hasattr(node, "generators") else []
    return ast.iter_child_nodes(node)
