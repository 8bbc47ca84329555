import torch
from torch.func import hessian, jacfwd, jacrev


def scaled(k):
    def f(x):
        return (k * x ** 3).sum() + x[0] * x[1]

    return f


x = torch.tensor([1.0, 2.0, 3.0])
h = hessian(scaled(2.0))(x)
print(h)
h2 = jacfwd(jacrev(scaled(2.0)))(x)
print(torch.equal(h, h2))
h3 = torch.autograd.functional.hessian(lambda t: (t.sin() * t).sum(), x)
print(h3)
hvp = torch.func.jvp(torch.func.grad(scaled(1.0)), (x,), (torch.ones(3),))[1]
print(hvp)
