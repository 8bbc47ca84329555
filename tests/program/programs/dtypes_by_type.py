import numpy as np
import torch

print(torch.zeros(2, dtype=float), torch.ones(2, dtype=int), torch.tensor([1, 0], dtype=bool))
print(np.zeros(2, dtype=float), np.array([1, 2], dtype=np.float32), np.arange(3).astype(np.int16), np.ones(2, int))
print(torch.from_numpy(np.array([1, 2], dtype=np.uint8)), np.float64(0.5) + 1, np.int32(7) // 2, np.bool_(1))
x = torch.arange(3, dtype=torch.uint8).numpy()
y = x.astype("float64") / 2
print(x.dtype, y.dtype, y)
