import torch

x = torch.tensor([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]])
top = x.max(dim=1)
print(top.values, top.indices, top[0])
values, indices = torch.sort(x, dim=1, descending=True)
print(values, indices)
U, S, Vh = torch.linalg.svd(x, full_matrices=False)
print(torch.allclose(U @ torch.diag(S) @ Vh, x, atol=1e-5))
print(torch.linalg.svd(x).S)
m, i = x.median(dim=0)
print(m, i, torch.topk(x, 2).values)
print(torch.max(x), torch.max(x, 0))
