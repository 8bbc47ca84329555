import torch

x = torch.tensor([0.5, 1.5])
out, pull = torch.func.vjp(lambda t: (t.sin(), t.cos()), x)
print(out)
print(pull((torch.ones(2), torch.zeros(2))))
y, tangent = torch.func.jvp(torch.exp, (x,), (torch.tensor([1.0, 0.0]),))
print(y, tangent)
value, gradient = torch.func.grad_and_value(lambda t: t.prod())(x)
print(gradient, value)
from torch.autograd.functional import vjp, jvp, hvp, vhp

print(vjp(lambda t: t ** 2, x, torch.ones(2)))
print(jvp(lambda t: t ** 2, x, torch.ones(2)))
print(hvp(lambda t: (t ** 3).sum(), x, torch.ones(2)))
print(vhp(lambda t: (t ** 3).sum(), x, torch.ones(2)))
