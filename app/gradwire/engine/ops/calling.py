"""Calling an op: with checked arguments, and with tensors for numbers and lists where PyTorch takes nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradwire.engine.errors import NoOverload
from gradwire.engine.ops import fences, numpy_ops, python_ops, uninitialised

if TYPE_CHECKING:
    from gradwire.engine.ops.registry import Op

# How PyTorch's and Python's argument parsers say that a call does not fit. A TypeError in other words comes from within
# an op that accepted its arguments.
_PARSER = re.compile(
    r"received an invalid combination of arguments|argument '\w+'.* must be |argument '\w+' \(position|"
    r"missing \d+ required |takes (?:from )?\w+(?: to \d+)? (?:positional |required )?arguments?|"
    r"takes no (?:keyword )?arguments|"
    r"got an unexpected keyword argument|got multiple values for argument|expected Tensor as element|"
    r"descriptor '\w+' (?:for|of) '.*' object|requires an? '.*' object|an invalid keyword argument|"
    r"expected np\.ndarray|must be Tensor, not|data type '.*' not understood|unsupported operand type|"
    r"is an invalid keyword"
)
_NAMED = re.compile(r"argument '(\w+)'(?: \(position (\d+)\))?")
_ELEMENT = re.compile(r"expected Tensor as element \d+ in argument (\d+)")
_SCALARS = (bool, int, float, complex)


def invoke(op: Op, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Call `op` with everything that keeps the process safe.

    Raises errors.NoOverload where no overload takes the arguments or a check forbids the call; exceptions of the op
    itself pass through.
    """
    if op.namespace == "operator" and python_ops.formats(op, args):
        return python_ops.formatted(args)
    try:
        return _call(op, args, kwargs)
    except TypeError as error:
        return second_try(op, args, kwargs, error)


def second_try(op: Op, args: list[Any], kwargs: dict[str, Any], error: TypeError) -> Any:
    """After `op` refused the arguments with `error`: try the method, then tensors in place of numbers and lists.

    Raises `error` itself where it did not come from an argument parser.
    """
    if not is_parsers(error) and op.namespace != "operator":
        raise error
    ops = _meant(op, args)
    for other in ops[1:]:
        try:
            return _call(other, args, kwargs)
        except TypeError as again:
            if not is_parsers(again):
                raise
    for one in ops:
        for new_args, new_kwargs in _as_tensors(one, args, kwargs):
            try:
                return _call(one, new_args, new_kwargs)
            except TypeError as again:
                if not is_parsers(again) and one.namespace != "operator":
                    raise
    raise no_overload(op, args, kwargs, error) from error


def is_parsers(error: TypeError) -> bool:
    """Whether an argument parser raised it, so that the op never began."""
    return _PARSER.search(str(error)) is not None


def _meant(op: Op, args: Sequence[Any]) -> list[Op]:
    """The ops that a name may mean: itself, then the method of the first argument's own type."""
    found = [op] if op.alternative is None else [op, op.alternative]
    if args and isinstance(args[0], np.ndarray) and op.namespace in ("torch", "Tensor"):
        method = numpy_ops.method(op.last)
        if method is not None:
            found.append(method)
    return found


def _call(op: Op, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if op.plain:
        return op.call(*args, **kwargs)
    if op.is_numpy:
        return numpy_ops.call(op, *fences.check(op, args, kwargs))
    if op.namespace == "operator":
        python_ops.check(op, args)
    new_args, new_kwargs = fences.check(op, args, kwargs)
    if not op.uninitialised:
        return fences.called(op, new_args, new_kwargs)
    return uninitialised.filled(op, new_args, new_kwargs)


def _as_tensors(op: Op, args: list[Any], kwargs: dict[str, Any]) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """The call with tensors for numbers and lists, once for each overload that then may take it."""
    if op.namespace == "operator":
        new = [_tensor(value) if isinstance(value, (list, tuple)) else value for value in args]
        if any(one is not other for one, other in zip(new, args, strict=True)):
            yield new, kwargs
        return
    for overload in op.overloads:
        positional = [one for one in overload.parameters if not one.keyword_only and not one.variadic]
        rest = next((one for one in overload.parameters if one.variadic), None)
        if len(args) > len(positional) and rest is None:
            continue
        slots = [positional[index] if index < len(positional) else rest for index in range(len(args))]
        spread = rest is not None and rest.type.is_any and isinstance(op.call, FunctionType)
        alone = spread and _is_list_of_operands(args)
        new_args = [
            _spread(value, alone) if slot is rest and spread else _taken(value, slot.type.atoms if slot else ())
            for value, slot in zip(args, slots, strict=True)
        ]
        new_kwargs = {}
        for name, value in kwargs.items():
            parameter = overload.named(name)
            new_kwargs[name] = _taken(value, parameter.type.atoms) if parameter else value
        changed = any(one is not other for one, other in zip(new_args, args, strict=True))
        if changed or any(new_kwargs[name] is not kwargs[name] for name in kwargs):
            yield new_args, new_kwargs


def _taken(value: Any, atoms: Sequence[str]) -> Any:
    """`value` as a tensor or a list of tensors, where one of these is declared and it is none of them yet."""
    if "Tensor" in atoms and (isinstance(value, _SCALARS) or (isinstance(value, (list, tuple)) and _is_data(value))):
        return _tensor(value)
    if "Tensor[]" in atoms and isinstance(value, (list, tuple)):
        return type(value)(_tensor(one) for one in value) if not hasattr(value, "_fields") else value
    return value


def _spread(value: Any, alone: bool) -> Any:
    """An argument of a function that takes any number of tensors; one list alone is the list of them."""
    if not isinstance(value, (list, tuple)):
        return _tensor(value)
    return [_tensor(one) for one in value] if alone else _tensor(value)


def _is_list_of_operands(args: Sequence[Any]) -> bool:
    """Whether the one list among the arguments lists all tensors; an equation without a comma has only one operand."""
    lists = [value for value in args if isinstance(value, (list, tuple))]
    return len(lists) == 1 and not (isinstance(args[0], str) and "," not in args[0])


def _is_data(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_data(one) for one in value)
    return isinstance(value, (*_SCALARS, np.generic)) or (isinstance(value, torch.Tensor) and value.dim() == 0)


def _tensor(value: Any) -> Any:
    """`torch.tensor` of numbers and lists; anything else as it is."""
    if isinstance(value, _SCALARS) or (isinstance(value, (list, tuple)) and _is_data(value)):
        try:
            return torch.tensor(value)
        except (ValueError, TypeError, RuntimeError) as error:
            raise NoOverload(f"this cannot be made a tensor: {str(error).partition(chr(10))[0]}") from error
    return value


def no_overload(op: Op, args: Sequence[Any], kwargs: dict[str, Any], error: TypeError) -> NoOverload:
    """The parser's refusal, with the argument that it speaks of."""
    text = str(error)
    place: int | str | None = None
    expected: Any = [op.last + one.text for one in op.overloads] or None
    if match := _NAMED.search(text):
        name, position = match[1], match[2]
        parameter = next((one for each in op.overloads if (one := each.named(name))), None)
        if name in kwargs:
            place = name
        elif parameter is not None and position is not None:
            place = _position(op, name, int(position), len(args))
        if parameter is not None and place is not None:
            expected = parameter.type.text
    elif (match := _ELEMENT.search(text)) and not isinstance(op.call, FunctionType):
        place = int(match[1]) + op.is_method
    if isinstance(place, int) and place >= len(args):
        place = None
    value = kwargs.get(place) if isinstance(place, str) else args[place] if place is not None else None
    return NoOverload(text, place, expected, None if place is None else type(value).__name__)


def _position(op: Op, name: str, position: int, count: int) -> int | None:
    """The place of the argument `name`; parsers count from 1, and methods without self."""
    for overload in op.overloads:
        names = [one.name for one in overload.parameters if not one.keyword_only]
        if name in names and names.index(name) < count:
            return names.index(name)
    index = position if op.is_method else position - 1
    return index if index < count else None
