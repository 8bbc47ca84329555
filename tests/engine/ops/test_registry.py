"""The registry: every public name has an entry; what may be called is a list, and nothing is reached by walking."""

import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from calls import op

from gradwire.engine.ops.namespaces import PLACES, is_function
from gradwire.engine.ops.registry import Excluded, Op, registry


def test_every_public_function_of_pytorch_is_callable_or_excluded_with_a_reason():
    for prefix, place in PLACES:
        for name in dir(place):
            if not name.startswith("_") and is_function(getattr(place, name)):
                entry = registry().find(prefix + name)
                assert entry is not None, prefix + name
                assert isinstance(entry, Op) or len(entry.reason) > 10


def test_what_torch_overrides_lists_is_there():
    overridable = torch.overrides.get_overridable_functions()
    for place, prefix in ((torch, ""), (torch.Tensor, "Tensor."), (torch.nn.functional, "nn.functional.")):
        for function in overridable[place]:
            name = getattr(function, "__name__", "")
            if not name.startswith("_") and getattr(place, name, None) is function:
                assert registry().find(prefix + name) is not None, prefix + name


def test_most_of_pytorch_can_be_called():
    entries = list(registry().entries())
    callable_ops = [entry for entry in entries if isinstance(entry, Op) and not entry.is_numpy]
    assert len(callable_ops) > 1500
    assert sum(isinstance(entry, Excluded) for entry in entries) < 400


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("add", "add"),
        ("torch.add", "add"),
        ("Tensor.add_", "Tensor.add_"),
        ("torch.Tensor.add_", "Tensor.add_"),
        ("F.relu", "nn.functional.relu"),
        ("torch.nn.functional.relu", "nn.functional.relu"),
        ("view", "Tensor.view"),
        ("backward", "Tensor.backward"),
        ("new_ones", "Tensor.new_ones"),
        ("add_", "Tensor.add_"),
        ("item", "Tensor.item"),
        ("linalg.svd", "linalg.svd"),
        ("fft.rfft", "fft.rfft"),
        ("special.erf", "special.erf"),
        ("signal.windows.hann", "signal.windows.hann"),
        ("sparse.mm", "sparse.mm"),
        ("operator.add", "operator.add"),
        ("autograd.grad", "autograd.grad"),
        ("autograd.backward", "autograd.backward"),
        ("np.ones", "numpy.ones"),
        ("numpy.ndarray.sum", "numpy.ndarray.sum"),
    ],
)
def test_names_are_those_of_the_documentation(written, name):
    assert op(written).name == name


def test_a_bare_name_of_both_has_the_method_as_alternative():
    assert op("reshape").call is torch.reshape
    assert op("reshape").alternative is op("Tensor.reshape")
    assert op("Tensor.reshape").call is torch.Tensor.reshape
    assert op("view").alternative is None


@pytest.mark.parametrize(
    "name",
    [
        "from_file",
        "save",
        "load",
        "Tensor.data_ptr",
        "Tensor.untyped_storage",
        "Tensor.set_",
        "Tensor.apply_",
        "Tensor.map_",
        "Tensor.register_hook",
        "vmap",
        "compile",
        "while_loop",
        "set_default_dtype",
        "set_num_threads",
        "set_printoptions",
        "use_deterministic_algorithms",
        "seed",
        "set_rng_state",
        "set_default_device",
        "frombuffer",
        "from_dlpack",
        "to_dlpack",
        "UntypedStorage",
        "FloatTensor",
        "Tensor.new",
        "no_grad",
        "Tensor.share_memory_",
        "fbgemm_linear_fp16_weight",
        "operator.attrgetter",
        "operator.methodcaller",
        "numpy.load",
        "numpy.memmap",
        "numpy.fromfile",
        "numpy.vectorize",
        "numpy.frompyfunc",
        "numpy.frombuffer",
        "numpy.ndarray.resize",
        "numpy.ndarray.setflags",
        "numpy.ndarray.tofile",
        "numpy.ndarray.dump",
        "numpy.ndarray.ctypes",
    ],
)
def test_what_is_unsafe_is_excluded_with_a_reason(name):
    entry = registry().find(name)
    if entry is None:  # Python's operator.attrgetter is a class
        assert name.startswith("operator.")
        return
    assert isinstance(entry, Excluded)
    assert entry.reason


@pytest.mark.parametrize(
    "name",
    [
        "",
        "torch.",
        "os.system",
        "F.torch.os.system",
        "nn.functional.torch.os.system",
        "torch.torch.add",
        "UntypedStorage.from_file",
        "Tensor.__reduce__",
        "Tensor.__class__",
        "_C",
        "_C._jit_get_all_schemas",
        "Tensor._make_subclass",
        "overrides.get_ignored_functions",
        "ops.aten.add",
        "classes.load_library",
        "utils.cpp_extension.load",
        "hub.load",
        "distributed.init_process_group",
        "onnx.export",
        "jit.load",
        "numpy.os",
        "numpy.core.multiarray",
        "numpy.ctypeslib",
        "operator.__add__",
        "builtins.eval",
        "add.__call__",
        "x" * 100_000,
    ],
)
def test_nothing_is_reached_by_walking_attributes(name):
    assert registry().find(name) is None


def test_no_callable_op_is_a_class_a_module_or_private():
    allowed = {torch.Size, torch.device, torch.finfo, torch.iinfo, torch.Generator}
    for entry in registry().entries():
        if isinstance(entry, Op):
            scalar = isinstance(entry.call, type) and issubclass(entry.call, np.generic)
            assert not isinstance(entry.call, type) or entry.call in allowed or scalar, entry.name
            assert not any(part.startswith("_") for part in entry.name.split(".")), entry.name


def test_nothing_that_only_other_hardware_runs_is_callable():
    if torch.backends.cuda.is_built():
        pytest.skip("this PyTorch is built for CUDA")
    for name in ("cudnn_convolution", "miopen_rnn", "Tensor.cuda", "Tensor.xpu", "Tensor.pin_memory"):
        entry = registry().find(name)
        assert entry is None or isinstance(entry, Excluded), name


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("ad", "add"), ("reul", "nn.functional.relu"), ("relu_6", "nn.functional.relu6"), ("torch.sofmax", "softmax")],
)
def test_the_nearest_names_are_suggested(typo, meant):
    near = registry().nearest(typo, 5)
    assert meant in near or any(name.endswith(meant.rpartition(".")[2]) for name in near), near


def test_suggestions_take_bounded_time_whatever_the_name():
    begun = time.perf_counter()
    for name in ("x" * 5_000_000, "a" * 64, "ab" * 32, "\x00", ""):
        assert len(registry().nearest(name)) <= 3
    assert time.perf_counter() - begun < 1


def test_facts_come_from_the_schemas():
    assert op("Tensor.add_").in_place
    assert op("relu_").in_place
    assert op("operator.iadd").in_place
    assert not op("operator.index").in_place
    assert not op("add").in_place
    assert op("rand").random
    assert op("Tensor.normal_").random
    assert op("nn.functional.dropout").random
    assert not op("nn.functional.relu").random
    assert op("Tensor.view").view
    assert op("transpose").view
    assert not op("Tensor.add_").view
    assert not op("add").view


def test_only_ops_that_need_care_are_not_plain():
    assert op("add").plain
    assert op("Tensor.view").plain
    assert not op("empty").plain
    assert not op("div").plain
    assert not op("numpy.add").plain
    assert not op("operator.pow").plain
    assert op("getitem").special
    assert op("setitem").special
    assert op("setattr").special
    assert op("operator.getitem").special


def test_deriving_it_is_quick():
    """Measured alone: 40 ms beside the import of torch on the machine this was written on."""
    code = (
        "import torch, time; from gradwire.engine.ops.registry import registry; begun = time.perf_counter();"
        "registry(); registry().find('add').overloads; print(time.perf_counter() - begun)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(run.stdout) < 1
