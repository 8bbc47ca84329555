import torch


def dominant(M, steps=100, tol=1e-9):
    v = torch.ones(M.shape[0], dtype=M.dtype) / M.shape[0] ** 0.5
    previous = torch.tensor(0.0, dtype=M.dtype)
    for step in range(steps):
        u = M @ v
        value = u.norm()
        v = u / value
        if abs(value - previous) < tol:
            break
        previous = value
    return value, v, step


M = torch.tensor([[2.0, 1.0], [1.0, 3.0]], dtype=torch.float64)
value, vector, steps = dominant(M)
print(value, vector, steps)
