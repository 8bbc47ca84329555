import torch


def derivative(f, order):
    for _ in range(order):
        f = torch.func.grad(f)
    return f


x = torch.tensor(0.5)
print([round(derivative(torch.sin, n)(x).item(), 5) for n in range(4)])
total, term = 0.0, 1.0
for n in range(1, 12):
    total += term
    term = term * 0.5 / n
print(total)
