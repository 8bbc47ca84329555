import torch

x = torch.zeros(2, 3)
row = x[0]
row += 1
col = x[:, 1]
col.mul_(5)
print(x)
y = x.t()
y[2, 1] = 7
flat = x.view(-1)
flat[0] = -1
print(x, y.is_contiguous(), y.contiguous().view(-1))
z = x.clone()
z.fill_(3)
x[:] = z[0]
print(x, row, z)
a = torch.arange(4)
b = a
a += 1
print(b, a is b)
a = a + 1
print(b, a is b)
e = torch.ones(3).expand(2, 3)
print(e, e.stride(), torch.ones(2, 2).t_(), x.storage_offset(), x[1].storage_offset())
