import torch

torch.manual_seed(3)
steps, batch, inputs, hidden = 3, 2, 4, 5
xs = torch.randn(steps, batch, inputs)
wx, wh, b = torch.randn(inputs, 4 * hidden) * 0.1, torch.randn(hidden, 4 * hidden) * 0.1, torch.zeros(4 * hidden)
h, c = torch.zeros(batch, hidden), torch.zeros(batch, hidden)
for t, x in enumerate(xs):
    i, f, g, o = (x @ wx + h @ wh + b).chunk(4, dim=1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    print(t, f"{h.norm().item():.5f}", tuple(h.shape))
