import torch

torch.manual_seed(42)
X = torch.randn(64, 3)
true_w = torch.tensor([2.0, -3.4, 1.2])
true_b = 4.2
Y = X @ true_w + true_b + 0.01 * torch.randn(64)
w = torch.zeros(3, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
lr, epochs, batch = 0.1, 20, 16
for epoch in range(epochs):
    order = torch.randperm(len(X))
    for start in range(0, len(X), batch):
        index = order[start : start + batch]
        loss = ((X[index] @ w + b - Y[index]) ** 2 / 2).mean()
        loss.backward()
        with torch.no_grad():
            for param in (w, b):
                param -= lr * param.grad
                param.grad.zero_()
    with torch.no_grad():
        total = ((X @ w + b - Y) ** 2 / 2).mean()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}, loss {float(total):f}")
print(w, b)
print("error in w", true_w - w.detach())
