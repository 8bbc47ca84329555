import torch

torch.manual_seed(0)
inside = 0
batches, size = 10, 500
for _ in range(batches):
    p = torch.rand(size, 2)
    inside += int((p.pow(2).sum(1) <= 1).sum())
estimate = 4 * inside / (batches * size)
print(f"pi is about {estimate:.3f}")
