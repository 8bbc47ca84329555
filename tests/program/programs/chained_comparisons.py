import torch

x = 3
print(1 < x < 5, 1 < x > 5, 0 == 0 != 1, 1 < 2 < 3 < 4 < x)
t = torch.tensor(2.5)
print(1 < t < 3, (t > 1) & (t < 3))
print(x in [1, 2, 3], x not in (4, 5), "a" in "cat", None is None, x is not None)
print("b" in {"a": 1}, not x, not [], -x, +x, ~x)
