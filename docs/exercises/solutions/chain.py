"""Worked solutions of the exercises on the chain rule."""

import math


def four_steps(x):
    return math.exp(-math.sin(x * x))


def slope_of_four_steps(x):
    square = x * x
    sine = math.sin(square)
    g = math.exp(-sine)
    g = -g
    g = g * math.cos(square)
    return g * 2 * x


def used_twice(a):
    b = math.tanh(a)
    return b * b + 3 * b


def slope_of_used_twice(a):
    b = math.tanh(a)
    g = b + b + 3
    return g * (1 - b * b)


def ten_steps(x):
    y = x
    for _ in range(10):
        y = y * x + 1
    return y


def slope_of_ten_steps(x):
    values = [x]
    for _ in range(10):
        values.append(values[-1] * x + 1)
    g, slope = 1.0, 0.0
    for y in reversed(values[:-1]):
        slope += g * y
        g = g * x
    return slope + g  # the first y is x itself
