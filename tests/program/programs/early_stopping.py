import torch

x = torch.arange(4.0, requires_grad=True)
config = dict(lr=0.3, patience=2)
best, bad, history = float("inf"), 0, {"loss": []}
for epoch in range(30):
    loss = ((x - 3) ** 2).sum() + 0.05 * (epoch % 3)
    loss.backward()
    with torch.no_grad():
        for p in [x]:
            p.sub_(config["lr"] * 0.5 ** (epoch // 4) * p.grad)
            p.grad.zero_()
    history["loss"].append(round(loss.item(), 4))
    if loss < best:
        best, bad = loss.item(), 0
    else:
        bad += 1
    if bad >= config["patience"]:
        print("stopped at", epoch)
        break
else:
    print("never stopped")
print(f"{best=:.4f}", len(history["loss"]), history["loss"][:3], x)
