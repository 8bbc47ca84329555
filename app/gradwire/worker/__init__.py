"""Process 2: PyTorch, one job at a time. The nursery (`python -m gradwire.worker`) forks the workers."""
