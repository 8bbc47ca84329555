import torch

x = torch.arange(24.0).reshape(2, 3, 4)
i = 1
print(x[0], x[0, 1], x[0, 1, 2], x[-1, -2])
print(x[:, 1], x[..., 1:3], x[..., ::2])
print(x[None].shape, x[:, None, :, :].shape, x[:, :, -1:].shape)
print(x[[0, 1], [2, 0]], x[:, [0, 2]])
print(x[x > 20], x[torch.tensor([1, 0])].shape)
print(x[i], x[i, i:], x[i - 1, i + 1, ...])
x[0, 0] = torch.tensor([9.0, 8.0, 7.0, 6.0])
x[1, :, ::2] = -1
x[x < 0] = 0
x[0][1][2] = 100
x[..., 3] += 1
print(x)
rows = [0, 1]
print(x[rows].sum(), x[rows, 0, i])
s = x.shape[0]
print(s, x.shape[-1], x.shape[1:])
