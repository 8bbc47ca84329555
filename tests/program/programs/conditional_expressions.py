import torch

x = torch.tensor(3.0)
sign = 1 if x > 0 else -1 if x < 0 else 0
y = (x if sign > 0 else -x) * 2
best = None
for v in [3, 1, 2]:
    best = v if best is None or v < best else best
print(sign, y, best, "a" if [] else "b", (lambda n: "even" if n % 2 == 0 else "odd")(3))
z = x and 0 or "fallback"
w = None or x
print(z, w, not x, 0 or None, [] or {} or 5, 1 and 2 and 3)
