import torch

torch.manual_seed(11)
x = torch.randn(3, requires_grad=True)
y = x * 2
count = 0
while y.data.norm() < 1000:
    y = y * 2
    count += 1
print(count, y)
v = torch.tensor([0.1, 1.0, 0.0001])
y.backward(v)
print(x.grad)
if x.sum() > 0:
    print("positive")
elif x.sum() == 0:
    print("zero")
else:
    print("negative")
for value in x:
    if value < 0:
        print("skip")
        continue
    if value > 2:
        break
    print(value)
else:
    print("all seen")
flag = bool(x[0] > -100) and not (x[1] > 100)
print(flag, "yes" if flag else "no")
