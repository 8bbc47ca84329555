"""Advice for PyTorch's refusals that people meet while they learn autograd."""

from __future__ import annotations

from collections.abc import Mapping

import torch

_NEEDS_GRAD = "does not require grad and does not have a grad_fn"

# A part of PyTorch's message, and what to write instead. The first that is found counts.
_ADVICE = (
    (
        "modified by an inplace operation",
        "a tensor that the backward pass needs was changed in place: use the out-of-place form, or clone it before",
    ),
    (
        "Trying to backward through the graph a second time",
        'the first backward pass freed the graph: give it "kwargs": {"retain_graph": true}, or compute the output anew',
    ),
    (
        "leaf Variable that requires grad is being used in an in-place operation",
        'give the node "no_grad": true (as for an update of a parameter), or use the out-of-place form',
    ),
    (
        "a view of a leaf Variable that requires grad is being used in an in-place operation",
        'give the node "no_grad": true (as for an update of a parameter), or clone the leaf and write into the clone',
    ),
    (
        "is a view and is being modified inplace",
        "write into a clone of the view, or use the out-of-place form",
    ),
    (
        "is a view and its base or another view of its base has been modified inplace",
        "clone the view before its base is changed, or use the out-of-place form there",
    ),
    (
        "grad can be implicitly created only for scalar outputs",
        "reduce the output to one number (sum, mean), or give a cotangent (backward: gradient, grad: grad_outputs)",
    ),
    (
        "appears to not have been used in the graph",
        'an input that the outputs do not depend on has no gradient: leave it out, or give {"allow_unused": true}',
    ),
    (
        "can require gradients",
        "use a floating or complex dtype, such as float32",
    ),
    (
        "Mismatch in shape: grad_output",
        "a cotangent has the shape of its output",
    ),
    (
        "data-dependent control flow",
        'under vmap a condition has many values: use where in place of it, or loop over the rows with {"op": "map"}',
    ),
    (
        "We don't support vmap over calling .item()",
        'under vmap a number has many values: keep it a tensor, or loop over the rows with {"op": "map"}',
    ),
    (
        "can output dynamic shape",
        'under vmap all rows have one shape: use a mask (where), or loop over the rows with {"op": "map"}',
    ),
    (
        "random operation while in randomness error mode",
        'say what is wanted: {"options": {"randomness": "different"}} for numbers of its own in each row, or "same"',
    ),
    (
        "Boolean value of Tensor with more than one value is ambiguous",
        "a condition is one value: reduce the tensor with any or all",
    ),
    (
        "to return a scalar",
        "grad is for functions of one number: reduce the output (sum, mean), or use func.jacrev",
    ),
    (
        "(output, aux) if has_aux is True",
        'with has_aux the function returns two values: {"returns": ["$output", "$aux"]}',
    ),
    (
        "Expected primal to be floating point or complex",
        "forward mode needs a floating or complex dtype, such as float32",
    ),
    (
        "Can't call numpy() on Tensor that requires grad",
        "detach the tensor first",
    ),
    (
        "'NoneType'",
        "a value is None: .grad is None until backward has run, and stays so on what is no leaf without retain_grad",
    ),
    (
        "shapes cannot be multiplied",
        "the first has as many columns as the second has rows: transpose one of them, or reshape it",
    ),
    (
        "size mismatch, got input",
        "the matrix has as many columns as the vector has elements: transpose it, or reshape",
    ),
    (
        "must match the size of tensor b",
        "sizes are compared from the last dimension on, and are equal or one of them 1: see unsqueeze and reshape",
    ),
    (
        "could not infer output dtype",
        "convert it to a floating dtype first: x.float()",
    ),
    (
        "to have the same dtype",
        "convert one to the dtype of the other: x.to(y.dtype)",
    ),
    (
        "expected target dtype to be Long",
        "the numbers of classes are int64: target.long()",
    ),
    (
        "cannot be converted to Scalar",
        "reduce the tensor to one element (sum, mean, an index), or take tolist()",
    ),
    (
        "unsupported format string passed to Tensor",
        "a format such as .2f is for one number: x.item() of each, or x.round(decimals=2)",
    ),
    (
        "only one element tensors can be converted to Python scalars",
        "tensors are joined by stack or cat",
    ),
    (
        "can only concatenate tuple",
        "max, min, sort and topk along a dimension give two tensors: take .values or .indices",
    ),
    (
        "'torch.return_types.",
        "it is several tensors: take one of its fields, such as .values",
    ),
)
# The same for a program's text, where another word is written than in a node.
_ADVICE_ON_TEXT = (
    (
        "Trying to backward through the graph a second time",
        "the first backward pass freed the graph: give it retain_graph=True, or compute the output anew",
    ),
    (
        "leaf Variable that requires grad is being used in an in-place operation",
        "write the update of a parameter under with torch.no_grad(): … or use the out-of-place form: w = w + 1",
    ),
    (
        "appears to not have been used in the graph",
        "an input that the outputs do not depend on has no gradient: leave it out, or give allow_unused=True",
    ),
    (
        "data-dependent control flow",
        "under vmap a condition has many values: write torch.where in place of it, or loop over the rows",
    ),
    (
        "We don't support vmap over calling .item()",
        "under vmap a number has many values: keep it a tensor, or loop over the rows",
    ),
    (
        "can output dynamic shape",
        "under vmap all rows have one shape: use a mask (torch.where), or loop over the rows",
    ),
    (
        "random operation while in randomness error mode",
        'give vmap randomness="different" for numbers of its own in each row, or "same"',
    ),
    (
        "(output, aux) if has_aux is True",
        "with has_aux the function returns two values: return output, aux",
    ),
)


def hint(error: str, inputs: Mapping[str, torch.Tensor] | None = None, on_text: bool = False) -> str | None:
    """What to write instead where PyTorch refused with the message `error`; None for messages not known here.

    `inputs` are the graph's inputs by name: those that could require a gradient and do not are named. `on_text`: a
    program's text is to be changed, not a node.
    """
    if _NEEDS_GRAD in error:
        return _needs_grad(inputs or {}, on_text)
    advices = (*_ADVICE_ON_TEXT, *_ADVICE) if on_text else _ADVICE
    return next((advice for part, advice in advices if part in error), None)


def _needs_grad(inputs: Mapping[str, torch.Tensor], on_text: bool) -> str:
    able = [
        f"'{name}'"
        for name, tensor in inputs.items()
        if not tensor.requires_grad and (tensor.is_floating_point() or tensor.is_complex())
    ]
    if on_text and not able:
        return "nothing that this was computed from asks for a gradient: make it with requires_grad=True"
    which = f"on input {' or '.join(able[:5])}" if able else "on the inputs to differentiate by"
    return f'nothing that this was computed from asks for a gradient: set "requires_grad": true {which}'
