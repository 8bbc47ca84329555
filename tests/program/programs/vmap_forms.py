import torch
from torch.func import vmap

a, b = torch.arange(6.0).view(2, 3), torch.ones(2, 3)
dot = vmap(torch.dot)
print(dot(a, b))
print(vmap(lambda u, v: u + v, in_dims=(0, None))(a, b[0]))
print(vmap(vmap(lambda s: s * 2))(a))
print(torch.vmap(torch.sum, in_dims=1)(a))
outer = vmap(lambda u: u[:, None] * u[None, :], out_dims=0)
print(outer(a).shape)
