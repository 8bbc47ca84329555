import torch

x = torch.tensor(2.0, requires_grad=True)
y = x ** 3
(g,) = torch.autograd.grad(y, x, create_graph=True)
(h,) = torch.autograd.grad(g, x)
print(g, h)
u = torch.tensor([1.0, 2.0], requires_grad=True)
v = torch.tensor([3.0, 4.0], requires_grad=True)
grads = torch.autograd.grad((u * v).sum(), [u, v])
print(grads)
print(len(grads), grads[0] + grads[1])
unused = torch.autograd.grad((u * 2).sum(), [u, v], allow_unused=True)
print(unused)
