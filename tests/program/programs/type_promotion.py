import torch

i, f, d, b = torch.tensor([1]), torch.tensor([1.0]), torch.tensor([1.0], dtype=torch.float64), torch.tensor([True])
print((i + f).dtype, (f + d).dtype, (i + b).dtype, (i / 2).dtype, (i * 2.5).dtype, (b + 1).dtype, (i // 2).dtype)
print(torch.result_type(i, 1.0), torch.promote_types(torch.int32, torch.float16), torch.can_cast(torch.double, torch.int))
print(f.to(torch.int), f.long(), f.to(dtype=torch.bfloat16), i.float().dtype, torch.arange(3).dtype, torch.arange(3.0).dtype)
