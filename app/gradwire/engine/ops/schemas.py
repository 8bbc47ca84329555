"""What PyTorch's dispatcher knows of an op: its schemas, what they write to, and their tags."""

from __future__ import annotations

import functools
from typing import Any

import torch

from gradwire.engine.ops import declared_types
from gradwire.engine.ops.parameters import REQUIRED, Overload, Parameter, ParamType, distinct

# The four that C++ groups as TensorOptions; Python takes them by keyword, and `requires_grad` with them.
_OPTIONS = frozenset(("dtype", "layout", "device", "pin_memory"))
_COMPOSITE = ("CompositeImplicitAutograd", "CompositeExplicitAutograd", "CompositeExplicitAutogradNonFunctional")
_BOOL = ParamType(("bool",))


@functools.cache
def _dispatcher_names() -> frozenset[str]:
    return frozenset(torch._C._dispatch_get_all_op_names())


@functools.cache
def _known_names() -> frozenset[str]:
    return frozenset(name.partition(".")[0] for name in _dispatcher_names())


def is_known(name: str) -> bool:
    """Whether the dispatcher has an op `aten::{name}`."""
    return f"aten::{name}" in _known_names()


def qualified(schema: Any) -> str:
    """`aten::add.Tensor`."""
    return f"{schema.name}.{schema.overload_name}" if schema.overload_name else str(schema.name)


@functools.cache
def schemas(name: str) -> tuple[Any, ...]:
    """The schemas of `aten::{name}` that the dispatcher runs; TorchScript's own (on str, int, list) are left out."""
    found = torch._C._jit_get_schemas_for_operator(f"aten::{name}")
    return tuple(schema for schema in found if qualified(schema) in _dispatcher_names())


def writes_first(name: str) -> bool:
    """Whether the op changes its first argument in place."""
    return any(schema.arguments and _is_written(schema.arguments[0]) for schema in schemas(name))


def _is_written(argument: Any) -> bool:
    return argument.alias_info is not None and argument.alias_info.is_write


def is_view(name: str) -> bool:
    """Whether a result may share memory with an argument that it does not change."""
    for schema in schemas(name):
        read = any(one.alias_info is not None and not one.alias_info.is_write for one in schema.arguments)
        if read and any(one.alias_info is not None for one in schema.returns):
            return True
    return False


def has_tag(name: str, tag: str) -> bool:
    """Whether an overload carries one of torch.Tag's names, such as `nondeterministic_seeded`."""
    wanted = getattr(torch.Tag, tag)
    packet = getattr(torch.ops.aten, name, None) if schemas(name) else None
    if packet is None:
        return False
    return any(wanted in getattr(packet, overload).tags for overload in packet.overloads())


def runs_here(name: str) -> bool:
    """Whether an overload has a kernel for the CPU, or for CUDA where this PyTorch has it."""
    return f"aten::{name}" in _runnable_names()


@functools.cache
def _runnable_names() -> frozenset[str]:
    keys = ["CPU", "SparseCPU", "SparseCsrCPU", "QuantizedCPU", "NestedTensorCPU", "MkldnnCPU", *_COMPOSITE]
    if torch.backends.cuda.is_built():
        keys += ["CUDA", "SparseCUDA", "SparseCsrCUDA"]
    registered = (torch._C._dispatch_get_registrations_for_dispatch_key(key) for key in keys)
    # The out= forms of ops for other hardware are generated for every device, and call what is not there.
    parts = (name.partition(".") for names in registered for name in names)
    return frozenset(name for name, _, overload in parts if not overload.endswith("out"))


def overloads(name: str, *, method: bool = False) -> tuple[Overload, ...]:
    """The overloads that Python sees, made from the schemas as PyTorch's generator of bindings does.

    `self` is called `input` in functions, TensorOptions are keywords, and an overload that writes to given tensors
    becomes an `out=` of the one without.
    """
    plain = [schema for schema in schemas(name) if not any(argument.is_out for argument in schema.arguments)]
    written = [schema for schema in schemas(name) if schema not in plain]
    found = [_overload(schema, _out_of(schema, written), method) for schema in plain]
    # An op that exists only with out= (linalg's inplace helpers) keeps it as a required keyword.
    found += [_overload(schema, None, method) for schema in written if not plain]
    return distinct(found)


def _out_of(schema: Any, written: list[Any]) -> Parameter | None:
    """`out=` where a schema with the same inputs writes into given tensors."""
    inputs = [(one.name, str(one.real_type)) for one in schema.arguments if one.name not in _OPTIONS]
    for other in written:
        outs = [one for one in other.arguments if one.is_out]
        others = [(one.name, str(one.real_type)) for one in other.arguments if not one.is_out]
        if [one for one in others if one[0] not in _OPTIONS] == inputs:
            kinds = ("Tensor", "None") if len(outs) == 1 else ("Tensor[]", "None")
            return Parameter("out", ParamType(kinds), None, keyword_only=True)
    return None


def _overload(schema: Any, out: Parameter | None, method: bool) -> Overload:
    parameters = [_parameter(argument, method) for argument in schema.arguments]
    names = {parameter.name for parameter in parameters}
    makes_tensor = names >= _OPTIONS and all(one.alias_info is None for one in schema.returns)
    if out is not None:
        parameters.append(out)
    if makes_tensor:
        parameters.append(Parameter("requires_grad", _BOOL, False, keyword_only=True))
    # Keywords without a default stand before those with one in schemas, too; the stable order is kept.
    returns = ", ".join(str(one.type) for one in schema.returns)
    return Overload(tuple(parameters), returns if len(schema.returns) == 1 else f"({returns})")


def _parameter(argument: Any, method: bool) -> Parameter:
    name = "input" if argument.name == "self" and not method else argument.name
    declared = declared_types.parse(str(argument.real_type))
    if argument.N:
        # int[2] takes one int for both.
        declared = ParamType((*declared.atoms, *(atom[:-2] for atom in declared.atoms if atom.endswith("[]"))))
    default = argument.default_value if argument.has_default_value() else REQUIRED
    return Parameter(name, declared, default, argument.kwarg_only)
