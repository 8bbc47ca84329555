import torch

x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = x ** 2
z = y.exp().log().sum() / 3
z.backward()
print(x.grad, z)
print(x.grad_fn, y.grad_fn, z.requires_grad)
with torch.no_grad():
    w = x * 2
print(w.requires_grad, w)
d = y.detach()
print(d.requires_grad, d is y, x.is_leaf)
x.grad.zero_()
(x * x * x).sum().backward()
print(x.grad)
