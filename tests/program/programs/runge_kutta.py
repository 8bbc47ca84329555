import torch


def rk4(f, y, t, h):
    k1 = f(t, y)
    k2 = f(t + h / 2, y + h / 2 * k1)
    k3 = f(t + h / 2, y + h / 2 * k2)
    k4 = f(t + h, y + h * k3)
    return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


omega = torch.tensor(2.0, requires_grad=True)
field = lambda t, y: torch.stack([y[1], -omega ** 2 * y[0]])
y, t, h = torch.tensor([1.0, 0.0]), 0.0, 0.05
for step in range(20):
    y = rk4(field, y, t, h)
    t += h
print(y, round(t, 2))
y[0].backward()
print(omega.grad)
