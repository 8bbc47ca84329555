from functools import partial

import torch
import torch.nn.functional as F
from torch.func import jacfwd, jacrev, vjp, vmap

torch.manual_seed(0)


def predict(weight, bias, x):
    return F.linear(x, weight, bias).tanh()


D = 4
weight = torch.randn(D, D)
bias = torch.randn(D)
x = torch.randn(D)


def compute_jac(xp):
    xp = xp.clone().requires_grad_()
    jacobian_rows = [torch.autograd.grad(predict(weight, bias, xp), xp, vec)[0] for vec in torch.eye(D)]
    return torch.stack(jacobian_rows)


jacobian = compute_jac(x)
print(jacobian.shape)
print(jacobian[0])
_, vjp_fn = vjp(partial(predict, weight, bias), x)
(ft_jacobian,) = vmap(vjp_fn)(torch.eye(D))
print(torch.allclose(ft_jacobian, jacobian))
rev = jacrev(predict, argnums=2)(weight, bias, x)
fwd = jacfwd(predict, argnums=2)(weight, bias, x)
print(torch.allclose(rev, fwd), rev)
