import torch


def f(x):
    return x ** 3 - 2 * x - 5


x = torch.tensor(2.0, dtype=torch.float64)
for i in range(6):
    slope = torch.func.grad(f)(x)
    x = x - f(x) / slope
    print(f"{i}: {x.item():.12f}")


def rosenbrock(p):
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


p = torch.tensor([-1.2, 1.0], dtype=torch.float64)
for i in range(8):
    g = torch.func.grad(rosenbrock)(p)
    H = torch.func.hessian(rosenbrock)(p)
    p = p - torch.linalg.solve(H, g)
print(p, rosenbrock(p))
