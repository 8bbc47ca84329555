import torch
import torch.nn.functional as F

image = torch.arange(25.0).reshape(1, 1, 5, 5)
kernel = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]).reshape(1, 1, 3, 3)
out = torch.zeros(3, 3)
for i in range(3):
    for j in range(3):
        out[i, j] = (image[0, 0, i : i + 3, j : j + 3] * kernel[0, 0]).sum()
print(out)
print(F.conv2d(image, kernel)[0, 0] == out)
print(F.max_pool2d(image, 2).squeeze())
