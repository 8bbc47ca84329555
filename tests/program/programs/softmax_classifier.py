import torch
import torch.nn.functional as F

torch.manual_seed(5)
X = torch.randn(30, 4)
labels = (X.sum(1) > 0).long() + (X[:, 0] > 1).long()
W = torch.zeros(4, 3, requires_grad=True)
for i in range(40):
    logits = X @ W
    loss = F.cross_entropy(logits, labels)
    (g,) = torch.autograd.grad(loss, W)
    with torch.no_grad():
        W.sub_(g, alpha=0.5)
accuracy = (logits.argmax(dim=1) == labels).float().mean()
print(f"loss {loss.item():.4f} accuracy {accuracy:.2%}")
counts = {}
for label in labels.tolist():
    counts[label] = counts.get(label, 0) + 1
print(sorted(counts.items()))
