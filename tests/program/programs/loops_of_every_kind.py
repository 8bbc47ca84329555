total = 0
for i in range(10, 0, -3):
    total += i
print(total, i)
for i, (a, b) in enumerate(zip("abc", [1, 2, 3]), start=1):
    print(i, a, b)
for a, *rest in [(1, 2, 3), (4,)]:
    print(a, rest)
n = 27
path = [n]
while n != 1:
    n = n // 2 if n % 2 == 0 else 3 * n + 1
    path.append(n)
print(len(path), max(path))
while True:
    n += 1
    if n > 5:
        break
else:
    print("never")
print(n)
for p in range(2, 20):
    for q in range(2, p):
        if p % q == 0:
            break
    else:
        print(p, end=" ")
print()
k = 3
while k:
    k -= 1
else:
    print("done", k)
places = [0, 0, 0]
for places[1] in range(3):
    pass
print(places)
for _ in reversed(range(2)):
    print("tick", end="" if _ == 0 else ", ")
print(sep="")
