import torch


def iterate(x, n):
    for _ in range(n):
        x = torch.where(x > 0.5, 2 * (1 - x), 2 * x)
    return x


x = torch.tensor([0.1, 0.3, 0.6], requires_grad=True)
y = iterate(x, 5)
y.sum().backward()
print(y, x.grad)


def collatz(n):
    steps = 0
    while n != 1:
        n, steps = (n // 2, steps + 1) if n % 2 == 0 else (3 * n + 1, steps + 1)
    return steps


print([collatz(n) for n in range(1, 12)])
