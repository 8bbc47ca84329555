"""PyTorch over HTTP: tensors and an operation graph in, values, gradients and the tape out."""

__version__ = "0.1.0"
