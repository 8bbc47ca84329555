import torch

x = torch.tensor([1.0, float("nan"), 3.0, float("inf")])
print(x, torch.isnan(x), x[~torch.isnan(x)], torch.nan_to_num(x, nan=-1.0, posinf=9.0), x == x, x.max(), x[:3].nansum())
print(torch.tensor(0.0) / 0, 0.0 * x[3], torch.sqrt(torch.tensor(-1.0)), torch.log(torch.tensor(0.0)), torch.tensor(3e38) * 10)
a = torch.tensor(1e8)
print((a + 1) - a, (a.double() + 1) - a.double(), torch.tensor(16777217.0), torch.tensor([127], dtype=torch.int8) + 1)
print(torch.sigmoid(torch.tensor([-200.0, 200.0])), torch.exp(torch.tensor([89.0, -104.0])), torch.softmax(x[[0, 2]] * 1e4, 0))
z = torch.tensor(0.0, requires_grad=True)
torch.where(z > 0, torch.log(z), torch.zeros(())).backward()
print(z.grad, torch.autograd.grad(torch.sqrt(z), z), torch.autograd.grad(torch.abs(z), z))
