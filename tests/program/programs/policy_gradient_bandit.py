import torch

torch.manual_seed(0)
means = [0.1, 0.9, 0.4]
logits = torch.zeros(3, requires_grad=True)
wins = [0] * 3
for step in range(60):
    probs = torch.softmax(logits, 0)
    action = torch.multinomial(probs, 1).item()
    reward = means[action] + 0.1 * torch.randn(()).item()
    wins[action] += 1
    loss = -torch.log(probs[action]) * reward
    loss.backward()
    with torch.no_grad():
        logits += 0.3 * -logits.grad
        logits.grad.zero_()
print(wins, probs.detach())
