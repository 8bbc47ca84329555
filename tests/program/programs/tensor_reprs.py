import torch

for t in ([1e-8, 1.0], [1e8, 1.5], [1e-10], [123456789.0], [0.1, 1e5], [1000.5, 2.25], [-0.0, 0.5], [1.0, 2.0]):
    print(torch.tensor(t), torch.tensor(t[0], dtype=torch.float64))
print(torch.tensor([]), torch.zeros(2, 0), torch.empty(0, dtype=torch.bool), torch.tensor(2**62), torch.tensor([99999999, 1]))
print(torch.tensor([[1 + 1j, 2], [3, 4j]]), torch.tensor(True), torch.arange(1001), torch.zeros(30, 50))
x = torch.ones(2, requires_grad=True)
print(x.unbind(), {"m": x.mean()}, [x * 2], (x.detach(), x > 0), x.half(), x.view(1, 2, 1))
print(torch.eye(2).to_sparse(), torch.Size([2]) + (3,), torch.float16, [torch.int64], torch.finfo(torch.float16))
