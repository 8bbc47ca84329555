def counter():
    state = [0]

    def step():
        state[0] += 1
        return state[0]

    return step


one, two = counter(), counter()
print(one(), one(), two())
k = 2


def times(x):
    return x * k


print(times(3))
k = 10
print(times(3))
fs = [lambda x, i=i: x + i for i in range(3)]
print([f(10) for f in fs])
late = []
for i in range(3):
    late.append(lambda: i)
print([f() for f in late])


def compose(f, g):
    return lambda x: f(g(x))


both = compose(lambda x: x + 1, times)
print(both(4))


def outer(a):
    b = a * 2

    def middle():
        c = b + 1

        def inner(d):
            return a, b, c, d

        return inner

    return middle()


print(outer(1)(5))
