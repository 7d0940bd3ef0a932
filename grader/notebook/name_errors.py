"""Which names a notebook uses before any cell above defines them: what only lived in its author's session.

Read off the source alone. IPython's own lines are left out, and a cell that Python cannot read defines whatever it
seems to assign: a name is called undefined only where that is sure.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from grader.i18n.message import Message, message

_MAGIC = re.compile(r"^\s*(?:[%!?]|[\w.]+\?+\s*$)")
_CELL_MAGIC = re.compile(r"^\s*%%(\w+)")
_PYTHON_MAGICS = ("time", "timeit", "capture", "prun", "python", "python3")
_DEFINES_UNSEEN = re.compile(r"^\s*%(?:run|pylab|store|load)\b", re.MULTILINE)
_CAPTURED = re.compile(r"^\s*%%capture\s+(?!-)(\w+)")
_ASSIGNED_MAGIC = re.compile(r"^(\s*[\w, ]+=\s*)[%!].*$")
_SEEMS_DEFINED = re.compile(
    r"^\s*(?:(?:async\s+)?def|class)\s+(\w+)|(?:^|[;,(])\s*(\w+)\s*(?=[,=])|\b(?:import|as)\s+(\w+)", re.M
)
_UNDEFINED = re.compile(r"name '([^']+)' is not defined")
_ALWAYS = frozenset({*vars(builtins), "display", "get_ipython", "In", "Out", "exit", "quit", "_", "__", "__file__"})


@dataclass(frozen=True, slots=True)
class Undefined:
    """``name`` is used in the cell ``cell``; the cells of ``defined_in``, all below it, define it."""

    cell: int
    name: str
    defined_in: tuple[int, ...]


@dataclass
class _Names:
    defined: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)  # at the cell's top level, before the cell itself defines them
    anything: bool = False  # what it defines cannot be told: a star import, or the namespace written to


def undefined_names(sources: Sequence[str]) -> tuple[Undefined, ...]:
    """Every name that is used above its definition, or without one; ``sources`` are the cells, "" for no code."""
    cells = [_names(source) for source in sources]
    found: list[Undefined] = []
    above = set(_ALWAYS)
    for index, cell in enumerate(cells):
        for name in sorted(cell.used - above):
            later = tuple(place for place in range(index + 1, len(cells)) if name in cells[place].defined)
            found.append(Undefined(index, name, later))
        above |= cell.defined
        if cell.anything:
            break
    return tuple(found)


def explained(sources: Sequence[str], cell: int, error: str) -> Message:
    """What to do about the NameError that says ``error`` in ``cell``; numbers of cells count from 1."""
    named = _UNDEFINED.search(error)
    name = named[1] if named else "?"
    places = [index for index, source in enumerate(sources) if name in _names(source).defined]
    above, below = [place for place in places if place < cell], [place for place in places if place > cell]
    if above:
        return message(
            "Cell {cell} uses {name}, which cell {other} defines: that cell failed before it came to it, so put it "
            "right first.",
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


# ------------------------------------------------------------------ one cell


def _names(source: str) -> _Names:
    text = _python(source)
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        groups = _SEEMS_DEFINED.findall(text)
        return _Names(defined={name for group in groups for name in group if name})
    captured = _CAPTURED.match(source)
    names = _Names({captured[1]} if captured else set(), anything=_DEFINES_UNSEEN.search(source) is not None)
    for statement in body:
        _read(statement, names)
    return names


def _python(source: str) -> str:
    """The lines that are Python; what a magic gives is some value."""
    cell_magic = _CELL_MAGIC.match(source)
    if cell_magic is not None:
        if cell_magic[1] not in _PYTHON_MAGICS:
            return ""
        source = source.partition("\n")[2]
    lines = (_ASSIGNED_MAGIC.sub(r"\1None", line) for line in source.splitlines())
    return "\n".join(re.match(r"\s*", line)[0] + "pass" if _MAGIC.match(line) else line for line in lines)  # type: ignore[index]


def _read(statement: ast.stmt, names: _Names) -> None:
    """In the order of the statements: what one defines, the next may use."""
    used, defined = _in_scope(statement)
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        used.add(statement.target.id)
    # What is assigned is worked out first; inside of a compound statement the order is not looked at.
    simple = isinstance(statement, ast.Assign | ast.AugAssign) and not any(
        isinstance(node, ast.NamedExpr) for node in ast.walk(statement)
    )
    names.used |= used - names.defined - (set() if simple else defined)
    names.defined |= defined
    for node in ast.walk(statement):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            names.anything = True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("exec", "globals"):
            names.anything = True


_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _in_scope(root: ast.AST) -> tuple[set[str], set[str]]:
    """Names used and defined at the top level of ``root``: a function's inside is not run by being written."""
    used: set[str] = set()
    defined: set[str] = set()
    waiting: list[ast.AST] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else defined).add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            defined |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, _NAMED) and node.name:
            defined.add(node.name)
        elif isinstance(node, ast.Global):
            defined |= set(node.names)
        waiting += _run_at_once(node)
    return used, defined


def _run_at_once(node: ast.AST) -> Iterable[ast.AST]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [*node.decorator_list, *node.args.defaults, *(one for one in node.args.kw_defaults if one)]
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *(word.value for word in node.keywords)]
    if isinstance(node, _SCOPES):
        return [node.generators[0].iter] if hasattr(node, "generators") else []
    return ast.iter_child_nodes(node)
