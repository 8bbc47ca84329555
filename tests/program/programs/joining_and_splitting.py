import torch

a, b = torch.zeros(2, 2), torch.ones(2, 2)
print(torch.cat([a, b]), torch.cat((a, b), 1), torch.stack([a, b]).shape, torch.vstack([a, b]).shape)
for part in torch.arange(6).chunk(3):
    print(part)
first, second = torch.arange(6).split([2, 4])
print(first, second, torch.arange(4).unbind(), torch.arange(3).repeat(2), torch.arange(2).repeat_interleave(2))
print(a.unsqueeze(0).shape, torch.ones(1, 2, 1).squeeze().shape, a.flatten(), torch.arange(6).reshape(2, 3).permute(1, 0))
print(torch.meshgrid(torch.arange(2), torch.arange(3), indexing="ij"))
