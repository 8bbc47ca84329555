import torch

scores = torch.randn(6, 3, generator=torch.Generator().manual_seed(5))
labels = torch.tensor([0, 2, 1, 2, 0, 1])
confusion, correct, total = torch.zeros(3, 3, dtype=torch.long), 0, 0
for start in range(0, len(labels), 4):
    out, lab = scores[start : start + 4], labels[start : start + 4]
    _, predicted = torch.max(out.data, 1)
    total += lab.size(0)
    correct += (predicted == lab).sum().item()
    for t, p in zip(lab, predicted):
        confusion[t, p] += 1
print(confusion, "Accuracy: %d %%" % (100 * correct / total), f"{correct}/{total}")
precision = confusion.diag() / confusion.sum(0).clamp(min=1)
print([f"{c}: {v:.1%}" for c, v in enumerate(precision.tolist())], dict(enumerate(labels.bincount().tolist())))
onehot = torch.zeros(6, 3).scatter_(1, labels.unsqueeze(1), 1)
print(onehot.equal(torch.eye(3)[labels]), scores.gather(1, labels.view(-1, 1)).squeeze(), scores[range(6), labels].mean())
