"""Objects such as a notebook may hold: with chosen attributes, with properties that raise, with a false class."""

from __future__ import annotations

from typing import Any


class WithAttributes:
    """Object with the given attributes."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Raises:
    """Object whose every attribute raises."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


class LiesAboutClass:
    """Object whose ``__class__`` raises."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError
