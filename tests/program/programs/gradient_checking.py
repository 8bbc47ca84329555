import torch


def numerical(f, x, eps=1e-6):
    grad = torch.zeros_like(x)
    for i in range(x.numel()):
        plus, minus = x.clone(), x.clone()
        plus[i] += eps
        minus[i] -= eps
        grad[i] = (f(plus) - f(minus)) / (2 * eps)
    return grad


f = lambda t: (t.sin() * t.exp()).sum()
x = torch.tensor([0.1, 0.7, -0.4], dtype=torch.float64)
exact = torch.func.grad(f)(x)
approx = numerical(f, x)
print(exact, (exact - approx).abs().max() < 1e-8)
