import torch

print("{} {} {}".format(1, "a", [2]), "{1} {0}".format("x", "y"), "{a}-{b:.2f}".format(a=1, b=2.0))
print("{:>8}|{:<8}|{:^8}|{:08.3f}".format("a", "b", "c", 3.14159))
print("{0:{1}.{2}f} {{}} {!r}".format(2.5, 8, 3) if False else "{:{}.{}f} {{}} {!r}".format(2.5, 8, 3, "z"))
loss = torch.tensor(1.5)
print("loss: {:.3f}, {}".format(loss, loss.item()))
print(format(3.14159, ".2f"), format("a"), "{:,}".format(10 ** 6), "{:.1%}".format(0.25))
args = [1, 2]
print("{} {}".format(*args))
row = "{:<10}{:>8.2f}"
for name, value in [("alpha", 1.5), ("beta", 22.75)]:
    print(row.format(name, value))
