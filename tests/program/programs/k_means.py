import torch

torch.manual_seed(4)
points = torch.cat([torch.randn(20, 2) + 3, torch.randn(20, 2) - 3])
centres = points[:2].clone()
for step in range(10):
    distance = torch.cdist(points, centres)
    nearest = distance.argmin(dim=1)
    new = torch.stack([points[nearest == k].mean(0) if (nearest == k).any() else centres[k] for k in range(2)])
    if torch.allclose(new, centres):
        break
    centres = new
print(step, centres, nearest.bincount())
