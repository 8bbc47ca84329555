xs = [3, 1, 2]
xs.append(4)
xs.extend([5, 6])
xs.insert(0, 0)
print(xs, xs.pop(), xs.pop(0), len(xs), xs.index(2), xs.count(1))
xs.sort()
xs.reverse()
print(xs, sorted(xs), sorted(xs, reverse=True), xs[1:3], xs[-1], xs[::-1])
xs[0] = 10
xs[1:3] = [7, 7, 7]
xs.remove(7)
ys = xs
ys[-1] += 5
zs = xs.copy()
zs.clear()
print(xs, ys is xs, zs, [*xs, *[1]], (*xs, 0), 3 in xs, xs == ys, [1, 2] < [1, 3])
a, b = b, a = 1, 2
print(a, b)
first, *middle, last = range(5)
print(first, middle, last)
(p, q), r = (1, 2), 3
[u, w] = "uw"
print(p, q, r, u, w, (1, 2).index(2), tuple([1]), list((1, 2)), list("ab"))
matrix = [[1, 2], [3, 4]]
matrix[1][0] = 9
print(matrix, [list(row) for row in zip(*matrix)], sum(matrix, []), min(xs), max(3, 7, 5))
e = ()
print(e, (1,), [], [[]], sorted(["b", "A", "c"], key=lambda t: t.lower()), sorted(xs, key=abs))
