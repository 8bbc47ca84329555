import torch

w = torch.tensor([1.0, -2.0], requires_grad=True)
for step in range(10):
    loss = (w * w).sum()
    loss.backward()
    w.data -= 0.1 * w.grad.data
    w.grad.data.zero_()
print(w, w.grad, loss)
w.grad += 1
print(w.grad)
