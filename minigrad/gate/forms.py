"""What makes gates, by the number of parameters; written by `.ci/gates`.

Parameters of their own take a quarter of the time of ``*args``: 3 % of a call of `exp` against 12 %. So all forms are
written out, in some 500 lines.
"""

# ruff: noqa
# mypy: ignore-errors


def make_0S(function, seen, check, call, explain):
    def gate(*rest, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((*rest,), named)
                return function(*rest, **named)
            return function(*rest)
        except Exception as error:
            if again := explain(error, (*rest,), named):
                return again()
            raise

    return gate


def make_1(function, seen, check, call, explain):
    def gate(p0, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((p0,), named)
                return function(p0, **named)
            return function(p0)
        except Exception as error:
            if again := explain(error, (p0,), named):
                return again()
            raise

    return gate


def make_1A(function, seen, check, call, explain, apply, op):
    def gate(p0, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((p0,), named)
                return function(p0, **named)
            return apply(op, (p0,))
        except Exception as error:
            if again := explain(error, (p0,), named):
                return again()
            raise

    return gate


def make_1S(function, seen, check, call, explain):
    def gate(p0, *rest, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((p0, *rest,), named)
                return function(p0, *rest, **named)
            return function(p0, *rest)
        except Exception as error:
            if again := explain(error, (p0, *rest,), named):
                return again()
            raise

    return gate


def make_1L(function, seen, check, call, explain):
    def gate(p0, **named):
        try:
            if named:
                if (type(p0), *named, *map(type, named.values())) not in seen:
                    return call((p0,), named)
                return function(p0, **named)
            if type(p0) not in seen:
                return check(type(p0), (p0,), named)
            return function(p0)
        except Exception as error:
            if again := explain(error, (p0,), named):
                return again()
            raise

    return gate


def make_2(function, seen, check, call, explain):
    def gate(p0, p1, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((p0, p1,), named)
                return function(p0, p1, **named)
            return function(p0, p1)
        except Exception as error:
            if again := explain(error, (p0, p1,), named):
                return again()
            raise

    return gate


def make_2A(function, seen, check, call, explain, apply, op):
    def gate(p0, p1, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((p0, p1,), named)
                return function(p0, p1, **named)
            return apply(op, (p0, p1,))
        except Exception as error:
            if again := explain(error, (p0, p1,), named):
                return again()
            raise

    return gate


def make_2L(function, seen, check, call, explain):
    def gate(p0, p1, **named):
        try:
            if named:
                if (type(p0), type(p1), *named, *map(type, named.values())) not in seen:
                    return call((p0, p1,), named)
                return function(p0, p1, **named)
            if (type(p0), type(p1)) not in seen:
                return check((type(p0), type(p1)), (p0, p1,), named)
            return function(p0, p1)
        except Exception as error:
            if again := explain(error, (p0, p1,), named):
                return again()
            raise

    return gate


def make_2LA(function, seen, check, call, explain, apply, op):
    def gate(p0, p1, **named):
        try:
            if named:
                if (type(p0), type(p1), *named, *map(type, named.values())) not in seen:
                    return call((p0, p1,), named)
                return function(p0, p1, **named)
            if (type(p0), type(p1)) not in seen:
                return check((type(p0), type(p1)), (p0, p1,), named)
            return apply(op, (p0, p1,))
        except Exception as error:
            if again := explain(error, (p0, p1,), named):
                return again()
            raise

    return gate


def make_2LS(function, seen, check, call, explain):
    def gate(p0, p1, *rest, **named):
        try:
            if named:
                if (type(p0), type(p1), *named, *map(type, named.values())) not in seen:
                    return call((p0, p1, *rest,), named)
                return function(p0, p1, *rest, **named)
            if (type(p0), type(p1)) not in seen:
                return check((type(p0), type(p1)), (p0, p1, *rest,), named)
            return function(p0, p1, *rest)
        except Exception as error:
            if again := explain(error, (p0, p1, *rest,), named):
                return again()
            raise

    return gate


def make_2S(function, seen, check, call, explain):
    def gate(p0, p1, *rest, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((p0, p1, *rest,), named)
                return function(p0, p1, *rest, **named)
            return function(p0, p1, *rest)
        except Exception as error:
            if again := explain(error, (p0, p1, *rest,), named):
                return again()
            raise

    return gate


def make_3(function, seen, check, call, explain):
    def gate(p0, p1, p2, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2,), named)
                return function(p0, p1, p2, **named)
            return function(p0, p1, p2)
        except Exception as error:
            if again := explain(error, (p0, p1, p2,), named):
                return again()
            raise

    return gate


def make_3L(function, seen, check, call, explain):
    def gate(p0, p1, p2, **named):
        try:
            if named:
                if (type(p0), type(p1), type(p2), *named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2,), named)
                return function(p0, p1, p2, **named)
            if (type(p0), type(p1), type(p2)) not in seen:
                return check((type(p0), type(p1), type(p2)), (p0, p1, p2,), named)
            return function(p0, p1, p2)
        except Exception as error:
            if again := explain(error, (p0, p1, p2,), named):
                return again()
            raise

    return gate


def make_3S(function, seen, check, call, explain):
    def gate(p0, p1, p2, *rest, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, *rest,), named)
                return function(p0, p1, p2, *rest, **named)
            return function(p0, p1, p2, *rest)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, *rest,), named):
                return again()
            raise

    return gate


def make_3LS(function, seen, check, call, explain):
    def gate(p0, p1, p2, *rest, **named):
        try:
            if named:
                if (type(p0), type(p1), type(p2), *named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, *rest,), named)
                return function(p0, p1, p2, *rest, **named)
            if (type(p0), type(p1), type(p2)) not in seen:
                return check((type(p0), type(p1), type(p2)), (p0, p1, p2, *rest,), named)
            return function(p0, p1, p2, *rest)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, *rest,), named):
                return again()
            raise

    return gate


def make_4L(function, seen, check, call, explain):
    def gate(p0, p1, p2, p3, **named):
        try:
            if named:
                if (type(p0), type(p1), type(p2), type(p3), *named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, p3,), named)
                return function(p0, p1, p2, p3, **named)
            if (type(p0), type(p1), type(p2), type(p3)) not in seen:
                return check((type(p0), type(p1), type(p2), type(p3)), (p0, p1, p2, p3,), named)
            return function(p0, p1, p2, p3)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, p3,), named):
                return again()
            raise

    return gate


def make_5(function, seen, check, call, explain):
    def gate(p0, p1, p2, p3, p4, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, p3, p4,), named)
                return function(p0, p1, p2, p3, p4, **named)
            return function(p0, p1, p2, p3, p4)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, p3, p4,), named):
                return again()
            raise

    return gate


def make_5L(function, seen, check, call, explain):
    def gate(p0, p1, p2, p3, p4, **named):
        try:
            if named:
                if (type(p0), type(p1), type(p2), type(p3), type(p4), *named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, p3, p4,), named)
                return function(p0, p1, p2, p3, p4, **named)
            if (type(p0), type(p1), type(p2), type(p3), type(p4)) not in seen:
                return check((type(p0), type(p1), type(p2), type(p3), type(p4)), (p0, p1, p2, p3, p4,), named)
            return function(p0, p1, p2, p3, p4)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, p3, p4,), named):
                return again()
            raise

    return gate


def make_6(function, seen, check, call, explain):
    def gate(p0, p1, p2, p3, p4, p5, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, p3, p4, p5,), named)
                return function(p0, p1, p2, p3, p4, p5, **named)
            return function(p0, p1, p2, p3, p4, p5)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, p3, p4, p5,), named):
                return again()
            raise

    return gate


def make_6L(function, seen, check, call, explain):
    def gate(p0, p1, p2, p3, p4, p5, **named):
        try:
            if named:
                if (type(p0), type(p1), type(p2), type(p3), type(p4), type(p5), *named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, p3, p4, p5,), named)
                return function(p0, p1, p2, p3, p4, p5, **named)
            if (type(p0), type(p1), type(p2), type(p3), type(p4), type(p5)) not in seen:
                return check((type(p0), type(p1), type(p2), type(p3), type(p4), type(p5)), (p0, p1, p2, p3, p4, p5,), named)
            return function(p0, p1, p2, p3, p4, p5)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, p3, p4, p5,), named):
                return again()
            raise

    return gate


def make_7(function, seen, check, call, explain):
    def gate(p0, p1, p2, p3, p4, p5, p6, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, p3, p4, p5, p6,), named)
                return function(p0, p1, p2, p3, p4, p5, p6, **named)
            return function(p0, p1, p2, p3, p4, p5, p6)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, p3, p4, p5, p6,), named):
                return again()
            raise

    return gate


def make_7L(function, seen, check, call, explain):
    def gate(p0, p1, p2, p3, p4, p5, p6, **named):
        try:
            if named:
                if (type(p0), type(p1), type(p2), type(p3), type(p4), type(p5), type(p6), *named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, p3, p4, p5, p6,), named)
                return function(p0, p1, p2, p3, p4, p5, p6, **named)
            if (type(p0), type(p1), type(p2), type(p3), type(p4), type(p5), type(p6)) not in seen:
                return check((type(p0), type(p1), type(p2), type(p3), type(p4), type(p5), type(p6)), (p0, p1, p2, p3, p4, p5, p6,), named)
            return function(p0, p1, p2, p3, p4, p5, p6)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, p3, p4, p5, p6,), named):
                return again()
            raise

    return gate


def make_8(function, seen, check, call, explain):
    def gate(p0, p1, p2, p3, p4, p5, p6, p7, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, p3, p4, p5, p6, p7,), named)
                return function(p0, p1, p2, p3, p4, p5, p6, p7, **named)
            return function(p0, p1, p2, p3, p4, p5, p6, p7)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, p3, p4, p5, p6, p7,), named):
                return again()
            raise

    return gate


def make_8L(function, seen, check, call, explain):
    def gate(p0, p1, p2, p3, p4, p5, p6, p7, **named):
        try:
            if named:
                if (type(p0), type(p1), type(p2), type(p3), type(p4), type(p5), type(p6), type(p7), *named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, p3, p4, p5, p6, p7,), named)
                return function(p0, p1, p2, p3, p4, p5, p6, p7, **named)
            if (type(p0), type(p1), type(p2), type(p3), type(p4), type(p5), type(p6), type(p7)) not in seen:
                return check((type(p0), type(p1), type(p2), type(p3), type(p4), type(p5), type(p6), type(p7)), (p0, p1, p2, p3, p4, p5, p6, p7,), named)
            return function(p0, p1, p2, p3, p4, p5, p6, p7)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, p3, p4, p5, p6, p7,), named):
                return again()
            raise

    return gate


def make_9(function, seen, check, call, explain):
    def gate(p0, p1, p2, p3, p4, p5, p6, p7, p8, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, p3, p4, p5, p6, p7, p8,), named)
                return function(p0, p1, p2, p3, p4, p5, p6, p7, p8, **named)
            return function(p0, p1, p2, p3, p4, p5, p6, p7, p8)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, p3, p4, p5, p6, p7, p8,), named):
                return again()
            raise

    return gate


def make_9L(function, seen, check, call, explain):
    def gate(p0, p1, p2, p3, p4, p5, p6, p7, p8, **named):
        try:
            if named:
                if (type(p0), type(p1), type(p2), type(p3), type(p4), type(p5), type(p6), type(p7), type(p8), *named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, p3, p4, p5, p6, p7, p8,), named)
                return function(p0, p1, p2, p3, p4, p5, p6, p7, p8, **named)
            if (type(p0), type(p1), type(p2), type(p3), type(p4), type(p5), type(p6), type(p7), type(p8)) not in seen:
                return check((type(p0), type(p1), type(p2), type(p3), type(p4), type(p5), type(p6), type(p7), type(p8)), (p0, p1, p2, p3, p4, p5, p6, p7, p8,), named)
            return function(p0, p1, p2, p3, p4, p5, p6, p7, p8)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, p3, p4, p5, p6, p7, p8,), named):
                return again()
            raise

    return gate


def make_10(function, seen, check, call, explain):
    def gate(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, p3, p4, p5, p6, p7, p8, p9,), named)
                return function(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, **named)
            return function(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, p3, p4, p5, p6, p7, p8, p9,), named):
                return again()
            raise

    return gate


def make_10L(function, seen, check, call, explain):
    def gate(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, **named):
        try:
            if named:
                if (type(p0), type(p1), type(p2), type(p3), type(p4), type(p5), type(p6), type(p7), type(p8), type(p9), *named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, p3, p4, p5, p6, p7, p8, p9,), named)
                return function(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, **named)
            if (type(p0), type(p1), type(p2), type(p3), type(p4), type(p5), type(p6), type(p7), type(p8), type(p9)) not in seen:
                return check((type(p0), type(p1), type(p2), type(p3), type(p4), type(p5), type(p6), type(p7), type(p8), type(p9)), (p0, p1, p2, p3, p4, p5, p6, p7, p8, p9,), named)
            return function(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, p3, p4, p5, p6, p7, p8, p9,), named):
                return again()
            raise

    return gate


def make_11(function, seen, check, call, explain):
    def gate(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10,), named)
                return function(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, **named)
            return function(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10,), named):
                return again()
            raise

    return gate


def make_11L(function, seen, check, call, explain):
    def gate(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, **named):
        try:
            if named:
                if (type(p0), type(p1), type(p2), type(p3), type(p4), type(p5), type(p6), type(p7), type(p8), type(p9), type(p10), *named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10,), named)
                return function(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, **named)
            if (type(p0), type(p1), type(p2), type(p3), type(p4), type(p5), type(p6), type(p7), type(p8), type(p9), type(p10)) not in seen:
                return check((type(p0), type(p1), type(p2), type(p3), type(p4), type(p5), type(p6), type(p7), type(p8), type(p9), type(p10)), (p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10,), named)
            return function(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10,), named):
                return again()
            raise

    return gate


def make_12(function, seen, check, call, explain):
    def gate(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, **named):
        try:
            if named:
                if (*named, *map(type, named.values())) not in seen:
                    return call((p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11,), named)
                return function(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, **named)
            return function(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11)
        except Exception as error:
            if again := explain(error, (p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11,), named):
                return again()
            raise

    return gate
