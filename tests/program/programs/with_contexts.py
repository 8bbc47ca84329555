import torch

x = torch.ones(2, requires_grad=True)
with torch.no_grad():
    a = x * 2
    with torch.enable_grad():
        b = x * 2
print(a.requires_grad, b.requires_grad)
with torch.set_grad_enabled(False):
    c = x * 2
with torch.inference_mode():
    d = x * 2
with torch.no_grad(), torch.enable_grad():
    e = x + 1
print(c.requires_grad, d.requires_grad, e.requires_grad, torch.is_grad_enabled())
for i in range(3):
    with torch.no_grad():
        if i == 1:
            break
print(i, torch.is_grad_enabled(), (x * 2).requires_grad)


def inside():
    with torch.no_grad():
        return x * 3, torch.is_grad_enabled()


print(inside(), torch.is_grad_enabled())
