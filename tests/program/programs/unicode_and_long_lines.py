import torch

größe = 3  # names are not only ASCII
Δ = torch.tensor([0.5]) * größe; print("é", Δ)
naïve = ["ä", "漢字"]; print(naïve, f"{'ü'!a} {naïve[1]!r}")
total = (1 +
         2 +
         größe); print(total)
if total: print("one line"); x = [1,
    2]
print(x, "a\
b")
