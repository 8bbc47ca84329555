import torch

torch.manual_seed(0)
x, accepted, chain = 0.0, 0, []
log_density = lambda z: -0.5 * z * z
for i in range(60):
    proposal = x + torch.randn(()).item()
    if torch.rand(1).item() < min(1.0, torch.exp(torch.tensor(log_density(proposal) - log_density(x))).item()):
        x, accepted = proposal, accepted + 1
    chain.append(x)
c = torch.tensor(chain)
print(accepted, c.mean(), c.var(), c.quantile(torch.tensor([0.25, 0.75])))
for i, count in enumerate(torch.histc(c, bins=4, min=-2, max=2).int().tolist()):
    print(f"{i - 2:+d} {'#' * count} ({count})")
