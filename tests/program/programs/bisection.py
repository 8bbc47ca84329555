import torch


def bisect(f, low, high, tol=1e-6):
    assert f(low) * f(high) < 0, "no sign change"
    while high - low > tol:
        middle = (low + high) / 2
        if f(low) * f(middle) <= 0:
            high = middle
        else:
            low = middle
    return (low + high) / 2


root = bisect(lambda x: torch.cos(x) - x, torch.tensor(0.0), torch.tensor(1.0))
print(root, round(root.item(), 4))
