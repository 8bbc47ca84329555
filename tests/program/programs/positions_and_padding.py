import torch
import torch.nn.functional as F

tokens = torch.tensor([[1, 2, 0], [3, 0, 0]])
pad = tokens == 0
e = F.embedding(tokens, torch.arange(20.0).view(5, 4) / 10, padding_idx=0)
keep = (~pad).unsqueeze(-1)
print((e * keep).sum(1) / keep.sum(1), pad.logical_not().sum(dim=1))
position, i = torch.arange(3)[:, None], torch.arange(4)[None]
angle = position / torch.pow(10000, (2 * (i // 2)) / 4)
pe = torch.zeros(3, 4)
pe[:, 0::2] = torch.sin(angle[:, 0::2])
pe[:, 1::2] = torch.cos(angle[:, 1::2])
scores = torch.einsum("bqd,bkd->bqk", e + pe, e + pe) / 4**0.5
attention = scores.masked_fill(pad[:, None, :], float("-inf")).softmax(-1)
print(pe, attention, torch.triu(torch.full((3, 3), float("-inf")), diagonal=1))
