import torch

x = torch.ones(2)
y = x + 1
del x
print(y)
x = y * 2
a, b = 1, 2
del a, b
print(x)
d = {"k": 1}
d.pop("k")
print(d)
