import torch
import torch.nn.functional as F

torch.manual_seed(0)
x = torch.randn(4, 6, requires_grad=True)
mean = x.mean(-1, keepdim=True)
var = x.var(-1, unbiased=False, keepdim=True)
normed = (x - mean) / torch.sqrt(var + 1e-5)
print(torch.allclose(normed, F.layer_norm(x, (6,)), atol=1e-6))
(normed ** 3).sum().backward()
print(x.grad)
