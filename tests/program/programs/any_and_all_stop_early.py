def seen(x):
    print("seen", x)
    return x


print(any(seen(x) > 1 for x in [1, 2, 3]))
print(all(seen(x) < 2 for x in [1, 2, 3]))
print(any(seen(x) == y for x in [1, 2] for y in [5, 2]))
print(seen(0) or seen("") or seen("end") or seen("never"))
print(seen(1) and seen(0) and seen("never"))
print(seen(1) < seen(5) < seen(3) < seen(9))
print(seen(0) if seen(False) else seen("else"))
