import torch

log = []


def note(name, value):
    log.append(name)
    return value


print(note("a", 1) + note("b", 2) * note("c", 3))
d = {}
d[note("key", "k")] = note("value", 5)
print(d, log)
x = torch.ones(2, requires_grad=True)
(x * 3).sum().backward()


def clear(t):
    t.grad = torch.zeros(2)
    return 1


print(x.grad + clear(x), x.grad)
items = [1, 2]


def grow():
    items.append(3)
    return len(items)


print(*items, grow(), *items)
lst = [0, 0, 0]
j = 0
j, lst[j] = 1, 9
print(lst, j)
lst[j], j = 7, 2
print(lst, j)


def later(x, *, k=note("default", 2), m=len(log)):
    return x, k, m


print(later(1), log)
