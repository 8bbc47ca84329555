import torch

x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
print(x.sum(), x.sum(0), x.sum(dim=1, keepdim=True), x.mean(), x.std(), x.var(dim=0), x.prod())
print(x.argmax(), x.argmin(dim=1), x.cumsum(1), x.norm(), x.logsumexp(1), x.amax((0, 1)))
print(x.min(), x.max(), (x > 2).float().mean(), x.softmax(-1).sum(-1), torch.quantile(x, 0.5), x.unique())
print(len(x), x.numel(), x.dim(), x.ndim, x.tolist(), x.sum().item())
