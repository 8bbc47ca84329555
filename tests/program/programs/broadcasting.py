import torch

a, b = torch.arange(3).reshape(3, 1), torch.arange(2)
print(a + b, (a * b).shape, a - b[None, :])
x = torch.ones(5, 3, 4, 1)
y = torch.ones(3, 1, 1)
print((x + y).size(), torch.broadcast_shapes((2, 1), (1, 3)))
d = torch.cdist(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[0.0, 0.0]]))
print(d, ((torch.arange(4.0)[:, None] - torch.arange(4.0)[None, :]) ** 2))
