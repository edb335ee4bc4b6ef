"""Names for annotations, which MicroPython reads over: it has no `typing` to import them from."""

__all__ = ("Any", "Function", "Iterator", "Mapping")

MYPY = False  # the type checker takes it for true

if MYPY:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    Function = Callable[..., Any]
else:
    Any = Function = Iterator = Mapping = object
