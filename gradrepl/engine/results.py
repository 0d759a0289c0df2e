"""Results with names, such as what x.max(0) returns (torch.return_types)."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from gradrepl.engine.dtype import CNamed, name_with_module

KINDS: dict[str, type] = {}
"""Every kind of named result, by the name of the function that returns it."""


class Named(tuple[Any, ...]):
    """A tuple whose items have names too; it prints as PyTorch prints it."""

    __slots__ = ()

    fields: tuple[str, ...] = ()

    def __repr__(self) -> str:
        items = ",\n".join(f"{field}={value!r}" for field, value in zip(self.fields, self, strict=True))
        return f"torch.return_types.{type(self).__qualname__}(\n{items})"


def named(function: str, *fields: str) -> type[Named]:
    """Return the type of a function's named result, making it once."""
    if function not in KINDS:
        names: dict[str, Any] = {field: property(itemgetter(i)) for i, field in enumerate(fields)}
        names.update(fields=fields, __slots__=(), __module__="torch.return_types", n_fields=len(fields))
        KINDS[function] = CNamed(function, (Named,), names)
        name_with_module(KINDS[function])
    return KINDS[function]
