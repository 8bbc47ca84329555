import torch

w = torch.Tensor([2.0]).double()
w.requires_grad = True
(3 * w**2).backward()
print(w.grad, torch.Tensor([[1, 2], [3, 4]]), torch.Tensor([]))
labels = torch.LongTensor([i % 2 for i in range(4)])
print(labels, torch.ByteTensor([1, 255]), torch.DoubleTensor((0.1, 0.2)), torch.BoolTensor([1, 0]))
