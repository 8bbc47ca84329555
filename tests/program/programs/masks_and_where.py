import torch

torch.manual_seed(0)
x = torch.randn(3, 4)
print(torch.where(x > 0, x, torch.zeros(())), (x > 0).sum(), x[x > 0].numel())
m = (x > -1) & (x < 1) | (x > 2)
print(m, ~m, m.any(dim=1), m.all())
x[~m] = 0
print(x.nonzero().tolist(), x.masked_select(m), torch.clamp(x, -0.5, 0.5))
x = x.masked_fill(m, 9.0)
print(x, x.count_nonzero())
