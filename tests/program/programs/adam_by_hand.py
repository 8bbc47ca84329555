import torch

theta = torch.tensor([1.0, 1.5, -2.0], requires_grad=True)
m, v = torch.zeros(3), torch.zeros(3)
beta1, beta2, eps = 0.9, 0.999, 1e-8
for t in range(1, 51):
    loss = torch.sum((theta - torch.tensor([0.5, 0.5, 0.5])) ** 2)
    (grad,) = torch.autograd.grad(loss, theta)
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad ** 2
    m_hat = m / (1 - beta1 ** t)
    v_hat = v / (1 - beta2 ** t)
    with torch.no_grad():
        theta -= 0.1 * m_hat / (v_hat.sqrt() + eps)
    if t % 10 == 0:
        print(f"{t:>3} {loss.item():.6f}")
print(theta)
