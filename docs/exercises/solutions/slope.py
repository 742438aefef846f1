"""Worked solutions of the exercises on slopes."""


def bell(x):
    return 1 / (1 + x * x)


def slope_of_bell(x):
    # The slope of 1 / u is -1 / u², and that of u = 1 + x² is 2x.
    return -2 * x / (1 + x * x) ** 2


def measured_slope(f, x, step):
    return (f(x + step) - f(x - step)) / (2 * step)


def lowest(slope, start, lr, steps):
    x = start
    for _ in range(steps):
        x -= lr * slope(x)
    return x
