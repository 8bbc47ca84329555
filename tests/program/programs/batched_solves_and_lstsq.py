import torch

torch.manual_seed(0)
t = torch.linspace(0, 1, 20, dtype=torch.float64)
y = 3 * t ** 2 - t + 0.5
A = torch.stack([t ** k for k in range(3)], dim=1)
c = torch.linalg.solve(A.T @ A, A.T @ y)
print(c.round(decimals=6))
batch = torch.eye(3, dtype=torch.float64).expand(2, 3, 3) * 2
print(torch.linalg.solve(batch, torch.ones(2, 3, dtype=torch.float64)), batch.inverse()[0])
