"""What may not be called although PyTorch has it in public, each with the reason that the catalogue shows.

The rules go by what a function declares, by where it is defined, or by a pattern in its name, so that they hold for the
functions of the next release, too. A name stands here only where nothing else could tell.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType
from typing import Any

import torch

from gradwire.engine.ops import schemas
from gradwire.engine.ops.namespaces import Candidate, is_attribute, is_function
from gradwire.engine.references import TENSOR_ATTRIBUTES

FILES = "it reads or writes files"
MEMORY = "it hands out or takes raw memory"
CALLABLE = "it takes a Python function"
STATE = "it sets state of the whole process"
COMPILER = "it belongs to the compiler and to TorchScript"
INTERNAL = "it is a helper inside PyTorch"
HARDWARE = "this machine or this build of PyTorch cannot run it"
REMOVED = "PyTorch removed it: every call is an error that says what to use instead"
CLASS = "it is a class, not a function"

# Classes whose values a reply can hold; to make one is to call a function.
VALUES = (torch.Size, torch.device, torch.finfo, torch.iinfo, torch.Generator)


@dataclass(frozen=True, slots=True)
class Rule:
    """What `covers` is true of is excluded for `reason`."""

    reason: str
    covers: Callable[[Candidate], bool]


def reason(candidate: Candidate) -> str | None:
    """Why `candidate` may not be called; None if it may."""
    if is_attribute(candidate.value):
        if candidate.last in TENSOR_ATTRIBUTES:
            return f"it is an attribute, not a function: read it as a reference, $x.{candidate.last}"
        return "it is an attribute, and none that a reference reads"
    return next((rule.reason for rule in RULES if rule.covers(candidate)), None)


def _named(pattern: str) -> Callable[[Candidate], bool]:
    expression = re.compile(pattern)
    return lambda candidate: expression.fullmatch(candidate.name) is not None


def _defined_in(*modules: str) -> Callable[[Candidate], bool]:
    return lambda candidate: getattr(candidate.value, "__module__", None) in modules


def _is_class(candidate: Candidate) -> bool:
    return isinstance(candidate.value, type) and candidate.value not in VALUES


# What a parameter that must be a function is called where it has no annotation.
_FUNCTION_NAME = re.compile(r"(?:\w+_)?(?:fn|func|function|callable|callback)")


def _required_callable(candidate: Candidate) -> bool:
    """A parameter that must be a function, by annotation; C functions that take one call it `callable`."""
    value = candidate.value
    if isinstance(value, FunctionType):
        needed = value.__code__.co_varnames[: value.__code__.co_argcount - len(value.__defaults__ or ())]
        annotated = any("Callable" in str(value.__annotations__.get(name, "")) for name in needed)
        return annotated or any(_FUNCTION_NAME.fullmatch(name) for name in needed)
    return candidate.name.startswith("Tensor.") and "callable" in (_text_signature(value) or "")


def _text_signature(value: Any) -> str:
    """The first line of the docstring, which for C functions is their signature."""
    return (getattr(value, "__doc__", None) or "").strip().partition("\n")[0]


def _takes_pointers(candidate: Candidate) -> bool:
    """Ops on weights that another call has packed: tensors whose data is an address."""
    last = candidate.last
    if candidate.namespace != "torch" or last.endswith("_") or hasattr(torch.Tensor, last):
        return False
    taken = (argument.name for schema in schemas.schemas(last) for argument in schema.arguments)
    return last.startswith("fbgemm_pack") or any(name.startswith("packed") for name in taken)


def _is_builtin_helper(candidate: Candidate) -> bool:
    """C functions that the dispatcher does not know and that are neither documented nor among torch's functions."""
    value = candidate.value
    if not isinstance(value, BuiltinFunctionType) or candidate.namespace == "operator":
        return False
    if candidate.namespace == "torch":
        reads_state = re.match(r"(?:is|get)_", candidate.last)
        return not hasattr(torch._C._VariableFunctions, candidate.last) and not reads_state
    return not schemas.is_known(value.__name__)


def _has_no_kernel(candidate: Candidate) -> bool:
    """Ops that the dispatcher knows, but for other hardware only."""
    name = getattr(candidate.value, "__name__", "")
    return schemas.is_known(name) and not schemas.runs_here(name)


@functools.cache
def _device_types() -> frozenset[str]:
    """Every device type that PyTorch has a word for, from its own message."""
    try:
        torch.device("none")
    except RuntimeError as error:
        match = re.search(r"Expected one of (.+?) device type", str(error))
        return frozenset(match[1].split(", ")) if match else frozenset()
    return frozenset()


def _moves_to_missing_hardware(candidate: Candidate) -> bool:
    present = {"cpu", "cuda"} if torch.backends.cuda.is_built() else {"cpu"}
    if candidate.name == "Tensor.pin_memory" or candidate.name.startswith("sparse.to_sparse_semi"):
        return "cuda" not in present
    return candidate.namespace == "Tensor" and candidate.last in _device_types() - present


# The first rule that covers a name gives the reason.
RULES: tuple[Rule, ...] = (
    Rule(MEMORY, _named(r"(?:\w+)?Storage(?:Base)?")),
    Rule("it builds tensors over uninitialised memory; use tensor, empty or zeros with a dtype", _named(r"\w+Tensor")),
    Rule(
        'it is a mode; a node\'s "no_grad" switches gradients off',
        _named(r"(?:no|enable)_grad|set_grad_enabled|inference_mode"),
    ),
    Rule(CLASS, _is_class),
    Rule(FILES, _defined_in("torch.serialization")),
    Rule(FILES, _named(r"from_file|get_file_path|import_ir.*")),
    Rule(MEMORY, _named(r"(?:Tensor\.)?(?:\w*storage(?!_offset)\w*|\w*data_ptr|set_|is_shared|share_memory_)")),
    Rule(MEMORY, _named(r"frombuffer|(?:to|from)_dlpack")),
    Rule(MEMORY, _takes_pointers),
    Rule("it builds tensors over uninitialised memory; use new_tensor, new_empty or new_zeros", _named(r"Tensor\.new")),
    Rule("it attaches a Python function to a tensor", _named(r"Tensor\.register\w*_hook")),
    Rule(
        CALLABLE,
        _named(r"Tensor\.(?:apply_|map2?_)|sparse\.as_sparse_gradcheck|operator\.(?:call|\w*getter|methodcaller)"),
    ),
    Rule(CALLABLE, _required_callable),
    Rule("it takes or gives a Python class", _named(r"Tensor\.as_subclass|Tensor\.module_load|get_device_module")),
    Rule(
        "it makes a tensor of another class; the other masked functions take a mask",
        _named(r"masked\.(?:as_)?masked_tensor"),
    ),
    Rule("it takes a stream of the device", _named(r"Tensor\.record_stream")),
    Rule('it gives a generator; seeds are set with "seed"', _named(r"thread_safe_generator")),
    Rule('it draws a seed of its own; use the request\'s "seed" or manual_seed', _named(r"seed")),
    Rule(STATE, _named(r"(?:set|use|init|clear)_\w+|autocast_(?:in|de)crement_nesting")),
    Rule(COMPILER, _named(r"fork|wait|parse_\w+|unify_type_list|merge_type_from_type_comment|compile|sym_fresh_size")),
    Rule(INTERNAL, _defined_in("torch._utils", "torch._utils_internal", "torch._jit_internal", "torch.overrides")),
    Rule(INTERNAL, _is_builtin_helper),
    Rule(REMOVED, _named(r"(?:Tensor\.)?(?:eig|lstsq|solve|symeig|reinforce)|matrix_rank")),
    Rule("it takes members of Python enums", _named(r"nn\.functional\.scaled_(?:grouped_)?mm")),
    Rule("it checks nothing that it is given; lstm does, and gives the same", _named(r"mkldnn_rnn_layer")),
    Rule("it takes functorch's dimension objects, and never ends on numbers", _named(r"Tensor\.index")),
    Rule("it has no kernel for the only layout that has indices", _named(r"indices_copy")),
    Rule(HARDWARE, _has_no_kernel),
    Rule(HARDWARE, _moves_to_missing_hardware),
    Rule("it deletes from its argument, which no tensor or tuple allows", _named(r"operator\.delitem")),
    Rule("it joins any Python sequences; use cat", _named(r"operator\.i?concat")),
    Rule(
        "it is no function of values", lambda candidate: not (is_function(candidate.value) or candidate.value in VALUES)
    ),
)
