import numpy as np
import torch

values = [1, 1.5, True, "s", None, [1], (1,), {"a": 1}, 2j, torch.ones(1), torch.float32, torch.Size([1]), np.ones(1)]
for v in values:
    print(type(v), isinstance(v, (int, float)), isinstance(v, torch.Tensor))
print(type(1) is int, type(torch.ones(1)) == torch.Tensor, isinstance(True, int), isinstance(np.ones(1), np.ndarray))
print(int, float, torch.Tensor, torch.float32, len, torch.relu)
print(torch.ones(1).type(), torch.is_tensor(3), torch.finfo(torch.float32).eps, torch.iinfo(torch.int8).max)
