import torch

print()
print("a", "b", sep="")
print("a", end="")
print("b", end="\n\n")
print(1, 2, 3, sep=", ", end=".\n")
print(torch.arange(2000.0))
print(torch.tensor([1e-8, 1.0, 1e8]), torch.tensor([float("nan"), float("inf")]), torch.tensor(7))
print([torch.tensor(1.0)], (torch.tensor([1, 2]),), {"t": torch.zeros(1)})
print(torch.tensor([], dtype=torch.int8), torch.tensor([1 + 2j]), torch.tensor([True]), torch.zeros(2, 0))
print(torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True).sum())
print(None, True, 1.0, -0.0, 1e100, "text", ["text", 'it\'s'], ..., range(3))
print(torch.ones(1).grad_fn, torch.Size([2, 3]), torch.device("cpu"), torch.strided, torch.contiguous_format)
