import torch

params = [torch.tensor([3.0], requires_grad=True), torch.tensor([[1.0, 2.0]], requires_grad=True)]
velocity = [torch.zeros_like(p) for p in params]
history = []
for step in range(30):
    loss = sum((p ** 2).sum() for p in params)
    history.append(loss.item())
    for p in params:
        p.grad = None
    loss.backward()
    with torch.no_grad():
        for i, (p, v) in enumerate(zip(params, velocity)):
            v.mul_(0.9).add_(p.grad)
            velocity[i] = v
            p -= 0.05 * v
print([round(h, 4) for h in history[::10]])
print(params)
print(velocity)
