import torch

x = torch.ones(2)
assert x.sum() == 2
assert (x > 0).all(), f"negative: {x}"
assert isinstance(x, torch.Tensor) and x.ndim == 1
assert torch.equal(x, torch.ones(2)) or False, "never"
print("ok")
