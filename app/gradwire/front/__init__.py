"""Process 1: HTTP. It never parses tensors and never imports PyTorch."""
