from functools import partial

import torch


def affine(a, b, x):
    return a * x + b


f = partial(affine, 2, 1)
print(f(3), f(torch.ones(2)), partial(affine, b=5, a=1)(x=2))
print(list(map(f, [1, 2, 3])), list(map(lambda x, y: x + y, [1, 2], [3, 4])), list(map(str, [1, 2])))
print(max([-3, 2], key=abs), min(["bb", "a"], key=len), sorted([(1, "b"), (0, "a")], key=lambda p: p[1]))
for v in map(torch.sqrt, torch.tensor([1.0, 4.0])):
    print(v)
g = torch.func.grad(partial(affine, torch.tensor(3.0), torch.tensor(0.0)))
print(g(torch.tensor(2.0)))
