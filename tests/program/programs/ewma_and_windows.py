import torch

torch.manual_seed(0)
series = torch.randn(12).cumsum(0)
alpha, smooth = 0.3, []
for value in series.tolist():
    smooth.append(value if not smooth else alpha * value + (1 - alpha) * smooth[-1])
windows = series.unfold(0, 4, 2)
print(torch.tensor(smooth), windows.mean(1), windows.shape)
print([f"{v:+.2f}" for v in smooth[:3]], series.diff().abs().max())
