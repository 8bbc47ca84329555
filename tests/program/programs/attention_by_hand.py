import math

import torch
import torch.nn.functional as F

torch.manual_seed(2)
B, T, C, heads = 2, 5, 8, 2
x = torch.randn(B, T, C)
qkv = torch.randn(C, 3 * C) / math.sqrt(C)
q, k, v = (x @ qkv).split(C, dim=-1)
q, k, v = [t.view(B, T, heads, C // heads).transpose(1, 2) for t in (q, k, v)]
scores = q @ k.transpose(-2, -1) / math.sqrt(k.size(-1))
mask = torch.tril(torch.ones(T, T)) == 0
scores = scores.masked_fill(mask, float("-inf"))
weights = F.softmax(scores, dim=-1)
out = (weights @ v).transpose(1, 2).contiguous().view(B, T, C)
print(out.shape, weights[0, 0])
reference = F.scaled_dot_product_attention(q, k, v, is_causal=True)
print(torch.allclose(reference.transpose(1, 2).reshape(B, T, C), out, atol=1e-5))
