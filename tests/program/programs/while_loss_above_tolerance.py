import torch

x = torch.tensor(5.0, requires_grad=True)
tol, steps = 1e-3, 0
loss = (x - 1) ** 2
while loss > tol:
    loss.backward()
    with torch.no_grad():
        x -= 0.1 * x.grad
    x.grad = None
    loss = (x - 1) ** 2
    steps += 1
print(steps, x, loss)
