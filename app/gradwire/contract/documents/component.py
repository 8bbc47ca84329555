"""A member that is read later, by `wire`, and described now: any value at run time, a real schema in OpenAPI.

The grammar of tensors and arguments is checked where they are read, number by number; validating them here too would
read them twice. Their schemas are models all the same, in `tensor` and `arguments`.
"""

from __future__ import annotations

from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

PLACEHOLDER = "x-gradwire-component"


class Component:
    """Annotation: in JSON Schema a reference to the component `name`; at run time anything.

    With `many` it is a list of them (which may arrive as a lazily read list of numbers).
    """

    def __init__(self, name: str, *, many: bool = False) -> None:
        self._name = name
        self._many = many

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        if self._many:
            return core_schema.no_info_plain_validator_function(_a_list)
        return core_schema.any_schema()

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        reference = {PLACEHOLDER: self._name}
        return {"type": "array", "items": reference} if self._many else reference


def is_list(value: Any) -> bool:
    """Whether a decoded JSON value is a list; long lists of numbers arrive as an object of their own, not as `list`."""
    return isinstance(value, list) or not isinstance(value, (dict, str, int, float, bool, type(None)))


def _a_list(value: Any) -> Any:
    if is_list(value):
        return value
    raise PydanticCustomError("list_type", "Input should be a list")
