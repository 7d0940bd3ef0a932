"""Reading of a notebook's code without running it: whether it trains, and whether a name depends on the data.

Both answers are generous: a statement links all names in it, and code that cannot be read counts as both.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from grader.notebook.name_errors import python_lines

_TRAINING = re.compile(
    r"(\w+_)?fit(_\w+)?|train_on_batch|train_step|train|apply_gradients|apply|minimize|backward|step|search|cross_val\w*"
    r"|exec|eval|run_path|run_module|import_module"
)
_OTHER_CODE = re.compile(r"^\s*[%!].*\b(run|python3?|load)\b|^\s*%%(writefile|script|bash|sh)\b", re.MULTILINE)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_READERS = re.compile(r"read_\w+|genfromtxt|loadtxt|load_data|imread|load_img|\w+_from_directory|load_\w*data\w*")


@dataclass
class _Links:
    """Names that each name depends on, and the names that depend on the data directly."""

    modules: set[str]  # names of imported modules and of Python itself, which depend on nothing
    needs: dict[str, set[str]] = field(default_factory=dict)
    data: set[str] = field(default_factory=set)

    def add(self, targets: Collection[str], needed: Collection[str], *, reads: bool) -> None:
        targets = set(targets) - self.modules
        for target in targets:
            self.needs.setdefault(target, set()).update(needed)
        if reads:
            self.data.update(targets)


def calls_training(sources: Sequence[str]) -> bool:
    """Return True if the code names a function that trains, or runs code that is not in ``sources``."""
    for source in sources:
        tree = _parsed(source)
        if tree is None or _OTHER_CODE.search(source):
            return True
        names = (node.attr if isinstance(node, ast.Attribute) else node.id for node in _names(tree))
        if any(_TRAINING.fullmatch(name) for name in names):
            return True
    return False


def depends_on_data(sources: Sequence[str], name: str, files: Collection[str], modules: Collection[str] = ()) -> bool:
    """Return True if ``name`` depends on a file of the data, or on a module that was handed in.

    ``files`` are the names of the data's files; ``modules`` those of the modules beside the notebook.
    """
    trees = [_parsed(source) for source in sources]
    read = [tree for tree in trees if tree is not None]
    if len(read) < len(trees) or any(_OTHER_CODE.search(source) for source in sources):
        return True
    nodes = [node for tree in read for node in ast.walk(tree)]
    libraries = {name for node in nodes if isinstance(node, ast.Import) for name in _imported(node)} - {*modules}
    links = _Links(libraries | set(dir(builtins)))
    for node in nodes:
        _link(node, links, files, modules)
    waiting, seen = [name], {name}
    while waiting:
        current = waiting.pop()
        if current in links.data:
            return True
        new = links.needs.get(current, set()) - seen
        seen |= new
        waiting += new
    return name not in links.needs


def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(python_lines(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _names(tree: ast.AST) -> Iterator[ast.Name | ast.Attribute]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute))


def _link(node: ast.AST, links: _Links, files: Collection[str], modules: Collection[str]) -> None:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        links.add([node.name], _loaded(node), reads=_reads(node, files))
    elif isinstance(node, ast.Import | ast.ImportFrom):
        sources = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        links.add(_imported(node), [], reads=any(source.partition(".")[0] in modules for source in sources))
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        links.add(_stored(node.target), _loaded(node.iter), reads=_reads(node.iter, files))
    elif isinstance(node, ast.With | ast.AsyncWith):
        for item in node.items:
            links.add(_stored(item), _loaded(item), reads=_reads(item, files))
    elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.NamedExpr | ast.Expr):
        links.add(_stored(node) | _changed(node), _loaded(node), reads=_reads(node, files))


def _imported(node: ast.Import | ast.ImportFrom) -> set[str]:
    return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}


def _loaded(node: ast.AST) -> set[str]:
    """Return the names that ``node`` uses from outside: without the parameters and variables of its own functions."""
    found = list(ast.walk(node))
    used = {name.id for name in found if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Load)}
    functions = [inner for inner in found if isinstance(inner, _FUNCTIONS)]
    own = {part.arg for function in functions for part in ast.walk(function.args) if isinstance(part, ast.arg)}
    own |= {name for function in functions for name in _stored_names(function)}
    own |= {name for inner in found if isinstance(inner, ast.comprehension) for name in _stored(inner.target)}
    return used - (own - {name for inner in found if isinstance(inner, ast.Global) for name in inner.names})


def _stored_names(node: ast.AST) -> set[str]:
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}


def _stored(node: ast.AST) -> set[str]:
    """Return the names that ``node`` assigns, also those of which it assigns an item or an attribute."""
    stores = (found for found in ast.walk(node) if isinstance(getattr(found, "ctx", None), ast.Store))
    return {name for store in stores for name in _base_names(store)}


def _changed(node: ast.AST) -> set[str]:
    """Return the names that a call in ``node`` may change: the object of a method, and the arguments."""
    calls = [found for found in ast.walk(node) if isinstance(found, ast.Call)]
    parts = [part for call in calls for part in (*call.args, *(word.value for word in call.keywords))]
    parts += [call.func for call in calls if isinstance(call.func, ast.Attribute)]
    return {name for part in parts for name in _base_names(part)}


def _base_names(node: ast.AST) -> set[str]:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    if isinstance(node, ast.Tuple | ast.List):
        return {name for part in node.elts for name in _base_names(part)}
    return {node.id} if isinstance(node, ast.Name) else set()


def _reads(node: ast.AST, files: Collection[str]) -> bool:
    """Return True if ``node`` names a file of the data, or calls a function that reads some without naming a file."""
    texts = [
        found.value for found in ast.walk(node) if isinstance(found, ast.Constant) and isinstance(found.value, str)
    ]
    if any(text.replace("\\", "/").rpartition("/")[2] in files for text in texts):
        return True
    calls = [found for found in ast.walk(node) if isinstance(found, ast.Call)]
    return any(_READERS.fullmatch(name) for call in calls for name in _called_name(call))


def _called_name(call: ast.Call) -> list[str]:
    """Return the name of the called function, if no argument is the name of a file."""
    if any(isinstance(part, ast.Constant) and isinstance(part.value, str) and "." in part.value for part in call.args):
        return []
    return [call.func.attr] if isinstance(call.func, ast.Attribute) else list(_base_names(call.func))
