"""Record of the models that ``predict(X)`` calls, with their outputs."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..output_forms import Array
from ..safe_call import as_array

METHODS = ("predict", "predict_proba", "decision_function", "predict_on_batch", "__call__")
MAX_CALLS = 5000


@dataclass
class Calls:
    """Outputs of each watched model, by its identity, in the order of the calls."""

    outputs: dict[int, list[Array]] = field(default_factory=dict)
    running: bool = False

    def answers(self, model: Any, rows: int) -> list[Array]:
        """Return the outputs of ``model`` for all ``rows``: each whole call, and many small calls put together."""
        outputs = self.outputs.get(id(model), [])
        whole = [output for output in outputs if len(output) == rows]
        if not whole and sum(map(len, outputs)) == rows and len({output.shape[1:] for output in outputs}) == 1:
            whole = [np.concatenate(outputs)]
        return whole[-1:]


@contextlib.contextmanager
def watch_calls(models: Sequence[Any]) -> Iterator[Calls]:
    """Record the calls of ``models`` meanwhile, without the calls that one of them makes itself."""
    calls = Calls()
    known = {id(model) for model in models}
    with contextlib.ExitStack() as stack:
        for kind in {type(model) for model in models}:
            for name in METHODS:
                method = getattr(kind, name, None)
                if callable(method):
                    stack.enter_context(_replaced(kind, name, _recording(method, known, calls)))
        yield calls


def _recording(method: Callable[..., Any], known: set[int], calls: Calls) -> Callable[..., Any]:
    @functools.wraps(method)
    def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        if calls.running or id(self) not in known:
            return method(self, *args, **kwargs)
        calls.running = True
        try:
            result = method(self, *args, **kwargs)
        finally:
            calls.running = False
        with contextlib.suppress(Exception):  # an output that is no array
            outputs = calls.outputs.setdefault(id(self), [])
            output = as_array(result)
            if output.ndim and len(outputs) < MAX_CALLS:
                outputs.append(output)
        return result

    return recorded


@contextlib.contextmanager
def _replaced(kind: type, name: str, function: Callable[..., Any]) -> Iterator[None]:
    own = vars(kind).get(name)
    try:
        setattr(kind, name, function)
    except (AttributeError, TypeError):  # a class that cannot be changed is not watched
        yield
        return
    try:
        yield
    finally:
        if own is not None:
            setattr(kind, name, own)
        else:
            delattr(kind, name)
