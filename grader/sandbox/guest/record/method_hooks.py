"""Wrappers of one method of a base class and of all classes below it, also of those that are defined later."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Collection, Iterator
from types import FunctionType
from typing import Any

Method = Callable[..., Any]
Wrap = Callable[[str, Method], Method]  # (name of the method, its function) -> its replacement


class _Depth(threading.local):
    """Number of recorded calls that are running in this thread."""

    depth = 0


_calls = _Depth()


@contextlib.contextmanager
def outermost() -> Iterator[bool]:
    """Give True unless another recorded call is running, of which this one is a part."""
    _calls.depth += 1
    try:
        yield _calls.depth == 1
    finally:
        _calls.depth -= 1


def watch_methods(base: Any, names: Collection[str], wrap: Wrap) -> None:
    """Replace the methods ``names`` of ``base`` and of every class below it."""
    waiting: list[Any] = [base]
    seen: set[Any] = {base}
    while waiting:
        kind = waiting.pop()
        _watch_class(kind, names, wrap)
        for below in kind.__subclasses__():
            if below not in seen:
                seen.add(below)
                waiting.append(below)
    made = base.__dict__.get("__init_subclass__")

    def watch_new_class(cls: Any, /, **words: Any) -> None:
        if made is None:
            super(base, cls).__init_subclass__(**words)
        else:
            made.__func__(cls, **words)
        _watch_class(cls, names, wrap)

    base.__init_subclass__ = classmethod(watch_new_class)


def _watch_class(kind: Any, names: Collection[str], wrap: Wrap) -> None:
    """Replace the methods where they are defined: also in a mixin, which is not below the base class."""
    for name in names:
        owner = next((part for part in kind.__mro__ if name in vars(part)), object)
        method = vars(owner).get(name)
        inner = getattr(method, "fn", None)  # scikit-learn's ``available_if`` keeps the function there
        with contextlib.suppress(AttributeError, TypeError):  # a class that cannot be changed is not recorded
            if callable(inner):
                method.fn = _marked(inner, name, wrap)  # type: ignore[union-attr]
            elif isinstance(method, FunctionType):
                setattr(owner, name, _marked(method, name, wrap))


def _marked(method: Method, name: str, wrap: Wrap) -> Method:
    """Return the wrapped ``method``, or ``method`` itself if it is wrapped already."""
    if getattr(method, "is_recorded", False):
        return method
    wrapped = wrap(name, method)
    wrapped.is_recorded = True  # type: ignore[attr-defined]
    return wrapped


def after(method: Method, record: Callable[[Any, tuple[Any, ...], dict[str, Any], Any], None]) -> Method:
    """Return ``method`` followed by ``record(self, args, kwargs, result)``, outside other recorded calls only.

    An error in the record must not make the notebook's own call fail.
    """

    @functools.wraps(method)
    def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        with outermost() as first:
            result = method(self, *args, **kwargs)
        if first:
            with contextlib.suppress(Exception):
                record(self, args, kwargs, result)
        return result

    return recorded
