import torch

x = torch.ones(2, requires_grad=True)
y = x * 2
z = (y + y.sin()).sum()
print(z.grad_fn, y.grad_fn.name(), x.is_leaf, y.is_leaf, z.requires_grad)
y.retain_grad()
z.backward()
print(y.grad, x.grad, x.grad is not None)
print(y.detach().requires_grad, x.requires_grad_(False).requires_grad)
x.requires_grad = True
print(x.requires_grad, x.grad_fn is None)
