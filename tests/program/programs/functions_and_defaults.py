import torch


def scale(x, k=2, *, shift=0.0):
    """Scales and shifts."""
    return x * k + shift


print(scale(3), scale(3, 4), scale(3, k=5), scale(3, shift=1.5), scale(k=1, x=2))


def nothing():
    unused = 1


def early(n):
    for i in range(n):
        if i == 2:
            return i
    return "end"


def many(x):
    return x, x + 1, [x]


print(nothing(), early(1), early(5), many(1))
a, b, c = many(torch.tensor(1))
print(a, b, c)


def accumulate(value, into=[]):
    into.append(value)
    return into


print(accumulate(1), accumulate(2), accumulate(3, []))
args = [1, 2]
print(scale(*args), scale(*[5], shift=1), (lambda *, z=3: z)(), (lambda: 7)())


def typed(x: torch.Tensor, n: int = 2) -> torch.Tensor:
    y: torch.Tensor = x * n
    count: int
    return y


print(typed(torch.ones(2)))
