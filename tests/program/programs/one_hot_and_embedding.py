import torch
import torch.nn.functional as F

torch.manual_seed(0)
ids = torch.tensor([0, 2, 1, 2])
one_hot = F.one_hot(ids, num_classes=3)
table = torch.randn(3, 4, requires_grad=True)
embedded = F.embedding(ids, table)
print(one_hot, torch.allclose(one_hot.float() @ table, embedded))
embedded.sum().backward()
print(table.grad)
