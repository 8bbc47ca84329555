import torch

torch.manual_seed(7)
Wx, Wh = torch.randn(3, 4, requires_grad=True), torch.randn(4, 4, requires_grad=True)
sequence = torch.randn(6, 2, 3)
h = torch.zeros(2, 4)
states = []
for x in sequence:
    h = torch.tanh(x @ Wx + h @ Wh)
    states.append(h)
all_states = torch.stack(states)
all_states.mean().backward()
print(all_states.shape, Wh.grad.abs().sum(), Wx.grad)
