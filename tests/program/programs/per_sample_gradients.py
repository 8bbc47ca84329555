import torch
from torch.func import grad, vmap

torch.manual_seed(3)
weights = {"w": torch.randn(4, 2), "b": torch.randn(2)}


def predict(params, x):
    return x @ params["w"] + params["b"]


def loss_of(params, x, y):
    return ((predict(params, x) - y) ** 2).mean()


xs, ys = torch.randn(6, 4), torch.randn(6, 2)
per_sample = vmap(grad(loss_of), in_dims=(None, 0, 0))(weights, xs, ys)
for name, g in per_sample.items():
    print(name, g.shape, g.norm())
for i in range(6):
    one = grad(loss_of)(weights, xs[i], ys[i])
    assert torch.allclose(one["w"], per_sample["w"][i], atol=1e-6), "they differ"
print(per_sample["b"])
