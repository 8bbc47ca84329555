import torch

torch.manual_seed(0)
a = torch.rand(2)
torch.manual_seed(0)
b = torch.rand(2)
print(torch.equal(a, b), a, torch.randint(0, 10, (4,)), torch.randperm(5), torch.normal(0.0, 1.0, (2,)))
print(torch.bernoulli(torch.full((4,), 0.5)), torch.multinomial(torch.tensor([0.1, 0.9]), 3, replacement=True))
x = torch.empty(3).uniform_(-1, 1)
print(x, torch.nn.functional.dropout(torch.ones(5), 0.5), torch.randn(2, 2).normal_())
