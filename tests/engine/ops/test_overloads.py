"""Overloads are those that PyTorch's own parsers have, whichever place declares them."""

from types import BuiltinFunctionType

import pytest
from calls import op

from gradwire.engine.ops import declared_types
from gradwire.engine.ops.parameters import REQUIRED
from gradwire.engine.ops.registry import Op, registry


def texts(name):
    return [overload.text for overload in op(name).overloads]


def test_stubs_know_that_add_takes_numbers():
    assert texts("add")[0] == (
        "(Tensor or number input, Tensor or number other, *, number alpha=1, Tensor out=None) -> Tensor"
    )


def test_methods_take_sizes_one_by_one_or_as_a_list():
    assert texts("Tensor.view") == [
        "(Tensor self, dtype dtype) -> Tensor",
        "(Tensor self, list of int size) -> Tensor",
        "(Tensor self, int *size) -> Tensor",
    ]


def test_schemas_serve_where_there_are_no_stubs():
    (text,) = texts("linalg.svd")
    assert text == (
        "(Tensor A, bool full_matrices=True, *, string driver=None, list of Tensor out=None)"
        " -> (Tensor, Tensor, Tensor)"
    )
    assert texts("special.erf") == ["(Tensor input, *, Tensor out=None) -> Tensor"]
    assert "requires_grad" in texts("fft.fftfreq")[0]


def test_python_functions_tell_by_their_signature():
    (overload,) = op("nn.functional.dropout").overloads
    assert [(one.name, one.default) for one in overload.parameters] == [
        ("input", REQUIRED),
        ("p", 0.5),
        ("training", True),
        ("inplace", False),
    ]


def test_functions_picked_by_a_flag_have_an_overload_for_each():
    assert [one.returns for one in op("nn.functional.max_pool2d").overloads] == ["Tensor", "tuple[Tensor, Tensor]"]


def test_docstrings_tell_the_types_that_python_functions_do_not_declare():
    (overload,) = op("Tensor.backward").overloads
    assert overload.named("gradient").type.text == "Tensor"
    assert overload.named("retain_graph").type.text == "bool"


def test_docstrings_add_the_keywords_that_stubs_lack():
    assert any(one.named("memory_format") for one in op("Tensor.bool").overloads)


def test_strings_carry_the_words_that_are_documented():
    parameter = op("nn.functional.mse_loss").overloads[0].named("reduction")
    assert parameter.type.choices == ("none", "mean", "sum")


def test_almost_every_op_has_overloads():
    without = [
        entry.name
        for entry in registry().entries()
        if isinstance(entry, Op) and not entry.special and not entry.is_numpy and not entry.overloads
    ]
    assert len(without) < 10, without


def test_no_overload_of_a_c_function_calls_its_first_parameter_self():
    for entry in registry().entries():
        in_c = isinstance(entry, Op) and isinstance(entry.call, BuiltinFunctionType)
        if in_c and entry.namespace in ("torch", "linalg", "fft", "special"):
            for overload in entry.overloads:
                first = overload.parameters[0].name if overload.parameters else ""
                assert first != "self", entry.name


@pytest.mark.parametrize(
    ("annotation", "atoms"),
    [
        ("Tensor | None", ("Tensor", "None")),
        ("Optional[List[int]]", ("int[]", "None")),
        ("Union[int, Tuple[int, ...]]", ("int", "int[]")),
        ("_int | _size", ("int", "int[]")),
        ("Sequence[_int | SymInt]", ("int[]",)),
        ("tuple[Tensor, ...] | list[Tensor]", ("Tensor[]",)),
        ("BroadcastingList2[int]", ("int", "int[]")),
        ("Literal['a', 'b']", ("str",)),
        ("typing.Optional[torch.dtype]", ("dtype", "None")),
        ("Callable[[Tensor], Tensor]", ("Callable",)),
        ("'Tensor'", ("Tensor",)),
        ("SomethingNew", ("Any",)),
        ("not an annotation", ("Any",)),
    ],
)
def test_annotations_of_every_style_are_read(annotation, atoms):
    assert declared_types.parse(annotation).atoms == atoms
