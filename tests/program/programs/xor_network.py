import torch
import torch.nn.functional as F

torch.manual_seed(0)
X = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
Y = torch.tensor([[0.0], [1], [1], [0]])
params = {
    "w1": torch.randn(2, 8).requires_grad_(),
    "b1": torch.zeros(8, requires_grad=True),
    "w2": torch.randn(8, 1).requires_grad_(),
    "b2": torch.zeros(1, requires_grad=True),
}


def net(x):
    hidden = torch.tanh(x @ params["w1"] + params["b1"])
    return torch.sigmoid(hidden @ params["w2"] + params["b2"])


for epoch in range(201):
    loss = F.binary_cross_entropy(net(X), Y)
    loss.backward()
    with torch.no_grad():
        for p in params.values():
            p -= 0.5 * p.grad
            p.grad.zero_()
    if epoch % 100 == 0:
        print(f"{epoch:4d} {loss:.4f}")
print((net(X) > 0.5).int().flatten().tolist())
