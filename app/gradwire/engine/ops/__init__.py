"""Every op that may be called, derived from PyTorch's and NumPy's own declarations, and what is left out, and why."""
