"""Rows of samples for special functions and rarer arithmetic; see op_samples.py."""

from __future__ import annotations

import math
import operator
from statistics import NormalDist
from typing import Any


def _sinc_bend(x: float) -> float:
    """The series of the derivative of sin(z) / z over z, z = pi * x."""
    z = math.pi * x
    terms = ((-1) ** k * 2 * k * z ** (2 * k - 2) / math.factorial(2 * k + 1) for k in range(1, 25))
    return math.pi**2 * math.fsum(terms)


def _ndtr(x: float) -> float:
    return math.erfc(-x / math.sqrt(2)) / 2


def rows() -> list[Any]:
    """The rows; a function, because op_samples.py imports this file."""
    from op_samples import Draw, Row, bits, each, nonzero, one, positive, real, two, wide

    def chance(*shape: int) -> Draw:
        return Draw("real", shape, 0.1, 0.9)

    def near(*shape: int) -> Draw:
        return Draw("real", shape, -0.9, 0.9)

    inf, whole = math.inf, bits(-9, 10)
    ends = {"nan": 0.0, "posinf": None, "neginf": None}
    # fmt: off
    return [
        two("logaddexp",  real,     real,     lambda a, b: math.log(math.exp(a) + math.exp(b))),
        two("logaddexp2", real,     real,     lambda a, b: math.log2(2**a + 2**b)),
        two("xlogy",      real,     positive, lambda a, b: a * math.log(b)),
        two("xlog1py",    real,     positive, lambda a, b: a * math.log1p(b)),
        one("entr",       positive, lambda x: -x * math.log(x)),
        one("sinc",       nonzero,  lambda x: math.sin(math.pi * x) / (math.pi * x)),
        one("sinc_bend",  nonzero,  _sinc_bend),
        one("sinc_bend",  near,     _sinc_bend),
        one("ndtr",       wide,     _ndtr),
        one("log_ndtr",   wide,     lambda x: math.log(_ndtr(x))),
        one("ndtri",      chance,   NormalDist().inv_cdf),
        one("erfcx",      real,     lambda x: math.exp(x * x) * math.erfc(x)),

        two("fmax",       real,     real,     max),
        two("fmin",       real,     real,     min),
        two("copysign",   nonzero,  nonzero,  math.copysign),
        two("nextafter",  real,     real,     math.nextafter),
        two("heaviside",  wide,     real,     lambda x, v: v if x == 0 else float(x > 0), ""),
        one("nan_to_num", wide,     lambda x, **_: x, **ends),
        one("nan_to_num", wide,     lambda x, **_: x, nan=1.0, posinf=2.0, neginf=-inf),
        two("gcd",        whole,    whole,    math.gcd, "", "int64"),
        two("lcm",        whole,    whole,    math.lcm, "", "int64"),
        Row("exponent", (nonzero(2, 3),), each(lambda x: math.frexp(x)[1]), "", result="int64", broadcasts=True,
            via=lambda op, x: op(x).long()),  # it gives int32
        Row("scale_down", (real(2, 3), whole(3)), each(lambda x, n: math.ldexp(x, -n))),
        Row("scale_down", (real(), whole()), each(lambda x, n: math.ldexp(x, -n))),
        Row("scale_down", (real(0), whole(0)), each(lambda x, n: math.ldexp(x, -n))),
        two("bitwise_left_shift",  whole, bits(0, 5), operator.lshift, "", "int64"),
        two("bitwise_right_shift", whole, bits(0, 5), operator.rshift, "", "int64"),
        one("signbit",    wide,     lambda x: x < 0, "", "bool"),
        one("isneginf",   wide,     lambda x: x == -inf, "", "bool"),
        one("isposinf",   wide,     lambda x: x == inf, "", "bool"),
    ]
    # fmt: on
