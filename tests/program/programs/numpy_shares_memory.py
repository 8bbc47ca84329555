import numpy as np
import torch

t = torch.ones(5)
n = t.numpy()
print(f"t: {t}")
print(f"n: {n}")
t.add_(1)
print(f"t: {t}")
print(f"n: {n}")
n[2] = 7
print(t)
a = np.zeros((2, 3))
b = torch.from_numpy(a)
np.add(a, 1, out=a)
a[0, 1] = 5
b[1] *= 3
print(a)
print(b, b.dtype, a.dtype)
c = torch.tensor(a)
a += 1
print(c[0], a[0], b[0])
