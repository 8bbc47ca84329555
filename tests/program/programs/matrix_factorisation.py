import torch

torch.manual_seed(0)
R = torch.rand(6, 5)
U = torch.rand(6, 2, requires_grad=True)
V = torch.rand(5, 2, requires_grad=True)
losses = {}
for epoch in range(60):
    loss = ((U @ V.T - R) ** 2).sum() + 0.01 * (U.square().sum() + V.square().sum())
    gU, gV = torch.autograd.grad(loss, (U, V))
    with torch.no_grad():
        U -= 0.05 * gU
        V -= 0.05 * gV
    if not epoch % 20:
        losses[epoch] = round(loss.item(), 3)
print(losses)
