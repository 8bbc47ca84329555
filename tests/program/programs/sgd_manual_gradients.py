import math

import torch

x = torch.linspace(-math.pi, math.pi, 100)
y = torch.sin(x)
a = torch.randn(())
b = torch.randn(())
learning_rate = 1e-4
losses = []
for t in range(200):
    y_pred = a + b * x
    loss = (y_pred - y).pow(2).sum().item()
    losses.append(loss)
    grad_y_pred = 2.0 * (y_pred - y)
    a -= learning_rate * grad_y_pred.sum()
    b -= learning_rate * (grad_y_pred * x).sum()
print(losses[0] > losses[-1], len(losses), "%.4f" % losses[-1])
print(f"Result: y = {a.item()} + {b.item()} x")
