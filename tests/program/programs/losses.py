import torch
import torch.nn.functional as F

pred = torch.tensor([[0.2, 0.8], [1.5, -0.3]], requires_grad=True)
target = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
for name, loss in [
    ("mse", F.mse_loss(pred, target)),
    ("l1", F.l1_loss(pred, target, reduction="sum")),
    ("huber", F.huber_loss(pred, target, delta=0.5)),
    ("bce", F.binary_cross_entropy_with_logits(pred, target)),
    ("ce", F.cross_entropy(pred, torch.tensor([1, 0]))),
    ("kl", F.kl_div(F.log_softmax(pred, 1), target, reduction="batchmean")),
]:
    (g,) = torch.autograd.grad(loss, pred)
    print(f"{name:>6} {loss:.4f} {g.abs().sum():.4f}")
