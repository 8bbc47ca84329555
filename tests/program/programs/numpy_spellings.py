import torch

x = torch.arange(6.0).reshape(2, 3)
print(torch.sum(x, axis=0), torch.mean(x, axis=1, keepdims=True), x.sum(axis=1, keepdims=True))
print(torch.cat((x, x), axis=1).shape, torch.stack([x, x], axis=-1).shape, torch.unsqueeze(x, axis=0).shape)
print(torch.max(x, axis=1), torch.softmax(x, axis=0), torch.linalg.norm(x, axis=0), torch.argmax(x, axis=1))
print(torch.add(x, x2=x), torch.exp(x=x)[0], torch.maximum(x1=x, x2=1 - x))
normal = x / x.norm(dim=1, keepdim=True)
