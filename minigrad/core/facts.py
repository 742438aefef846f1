"""What a record says of an operation beside its kernel and its rules: one field each, with a default that is safe.

A reader that knows no more than the kernel calls it, and takes the result for an array of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from minigrad.core.text import TextOf

# The steps that lead from a base to a view: ops with their parameters.
Path: TypeAlias = "tuple[tuple[Any, dict[str, Any]], ...]"


class Facts:
    """The keywords of ``Op``."""

    # ------------------------------------------------------------ how it is computed

    #: One function that returns every input's gradient, in place of the rules.
    joint: Callable[..., Any] | None = None
    #: What ``joint`` returns of arrays are new arrays, one for each input.
    fresh: bool = False
    #: Computes the only rule where ``g`` is an array that nothing else holds, into which it may write.
    consume: Callable[..., Any] | None = None
    #: Adds what the only rule gives of a part to an array that begins its arguments, where the rest of that would be 0.
    adds: Callable[..., Any] | None = None
    #: How element types meet. ``"same"`` is by promotion (``"number"`` refuses bools, ``"bits"`` refuses
    #: floats, ``"shifts"`` both). With ``"float"`` integers become the default float (``"floats"`` refuses them).
    #: ``"branches"`` leaves the first operand out. ``"rounds"`` refuses bools and copies integers. None
    #: leaves types alone.
    cast: str | None = None
    #: By kind of element type ("b"), the sentence with which it is refused.
    refuse: dict[str, str] | None = None
    #: Whether it takes complex numbers. ``"analytic"``: its rules hold for them if what they read is
    #: conjugated, as those of analytic functions with real coefficients; by default so of what moves elements.
    #: ``"own"``: its rules give PyTorch's gradient as they stand. Otherwise it refuses them.
    complex: str = ""
    #: Of floats of two bytes it computes in float32, also with numbers that they do not hold.
    wide: bool = False
    #: What it gives depends on the element type beside the values, so floats of two bytes stay as they are.
    typed: bool = False
    #: Raises for values that the kernel must not get. It is called with what the kernel is called with,
    #: before it, in eager mode and in replays.
    check: Callable[..., None] | None = None
    #: The kernel itself may raise for some values; so does what has a check.
    raises: bool = False
    #: Tells, of what the kernel is called with, why the result's shape depends on values of the operands
    #: ("indexing with a mask"), or "". A recording refuses that.
    depends: Callable[..., str] | None = None

    # ------------------------------------------------------------ the result and its memory

    #: It may share the first input's memory, and may be written to where that may. Otherwise a result gets
    #: memory of its own, also where the kernel returns an operand. None stands where nothing is said, so
    #: ``apply`` looks.
    view: bool | None = False
    #: The result that a rule reads follows from what else it reads, so a change of it in place does no harm.
    follows: bool = False
    #: It never shares memory with an operand. By default so of a ufunc, with ``rows``, a stated
    #: ``order``, or ``into``.
    new: bool | None = None
    #: It lies in memory row by row, also where that of the NumPy function it prints as does not.
    rows: bool = False
    #: How it lies. ``"C"`` is row by row, ``"K"`` in the order of its operands, ``"A"`` in any; with None
    #: nothing is known, it need not even be an array. By default ``"C"`` with ``rows``, and ``"K"`` for what
    #: is elementwise.
    order: str | None = None
    #: The number of the input whose order in memory it takes, where operands differ.
    lies_like: int | None = None
    #: Its elements may share memory.
    repeats: bool = False

    # ------------------------------------------------------------ the result and its values

    #: Each element follows from those in the same place of the operands, which broadcast. By default so
    #: for a ufunc without parameters.
    elementwise: bool | None = None
    #: Each element is one of the first input's.
    moves: bool = False
    #: The number of the input whose value it has.
    same: int | None = None
    #: The number that all elements equal.
    fill: float | None = None
    #: Of numbers it gives the same bits as of arrays.
    fold: bool = False
    #: The number that, as one operand, leaves the other as it is.
    unit: float | None = None
    #: Two calls give two results.
    draws: bool = False
    #: It adds its operands, as parts of a gradient are added.
    sums: bool = False
    #: It is usual behind a layer, by whose name its result is called then.
    activation: bool = False

    # ------------------------------------------------------------ other ways to compute it

    #: Whether the result is the first input, or with ``new`` a copy of it. It is called with the input's
    #: shape, the result's, and the parameters.
    idle: Callable[..., bool] | None = None
    #: Called with the same, gives the steps to what NumPy's broadcasting makes the result of, if nothing
    #: else is missing.
    broadcasts: Callable[..., Path] | None = None
    #: The parameters of two steps, the later ones first, as those of one.
    joins: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]] | None = None
    #: The steps that it consists of. Each is an op, the numbers of its operands (-1 for the result of the
    #: step before) and a name for its result. All but the last are elementwise.
    parts: tuple[tuple[Any, tuple[int, ...], str], ...] = ()
    #: Of one array and its transpose it may give other bits than of two equal arrays; this op makes two
    #: of one.
    apart: Any = None

    #: How it works on many elements at once, along a new first dimension: the name of a way of
    #: `minigrad.autograd.at_once.Call`, or a function of one.  What is elementwise broadcasts; anything else is
    #: called for one element after the other.  ``"alone"``: so is all of a function that calls it, as it looks at
    #: memory.
    batch: str | Callable[[Any], Any] = ""

    # ------------------------------------------------------------ how readers write it

    #: How it prints. It is a template, or a function of a `minigrad.core.text.Call` that returns one;
    #: None prints a call.
    text: str | TextOf | None = None
    #: How it reads for those who know no NumPy, in the names of its inputs (``*xs`` for a star) and with its
    #: parameters in braces: ``"put(g, into=zeros{shape}[{index}])"``; or a function of the node that gives that.
    #: Else by its text if that is a formula, or by its name and its parameters.
    reads: str | Callable[[Any], str] = ""
    #: Parameters that readers leave out where they have this value, also of all parts of a tuple; always with ``...``.
    usual: dict[str, Any] = {}  # noqa: RUF012 (never changed)
    #: How they tell of the gradient of an input where the rule takes more than a line: by the input's name, in
    #: the names of the record, as a formula or in words. A string is for all inputs; a function gets the node, and
    #: gives either.
    derives: Any = {}  # noqa: RUF012
    #: Of a result that is a vector of several arrays, one behind the other, their names and shapes: a function of
    #: the node. Readers use these names.
    packs: Callable[[Any], dict[str, tuple[int, ...]]] | None = None
    #: It is printed wherever it is used.
    inline: bool = False
    #: It may print an operand twice.
    twice: bool = False
    #: How `minigrad.compile` writes the result into memory that is there; see `minigrad.core.plans`, also
    #: for the next.
    into: Callable[..., Any] | None = None
    #: How Numba computes it.
    numba: Any = None
    #: The name of the record as PyTorch has it for ``grad_fn``, where that is not the op's in capitals, or a
    #: function of the node that tells it.
    grad_fn: str | Callable[[Any], str] = ""
    #: What the record's ``next_functions`` are, where not its inputs: a function of the node.
    edges: Callable[[Any], tuple[Any, ...]] | None = None
    #: The place of the operand whose next value it is, after a change in place: `explain` gives it the same name.
    renews: int | None = None
    #: The multiply-adds, from the result's shape and those of the inputs.
    costs: Callable[..., int] | None = None
    #: Those of the gradients, where they are not as many again for each of the first two inputs: from which
    #: inputs want one, and the same shapes.
    gradient_costs: Callable[..., int] | None = None

    # ------------------------------------------------------------ what users see

    #: Its names. ``"exp exp_"`` is a function and method ``exp`` and a method ``exp_`` in place,
    #: ``"name()"`` a function alone, ``".name"`` a method alone.
    public: Any = ""
    #: The public signature as Python writes it, where it is not one or two operands: the inputs, then the
    #: parameters in the order of the record. Of these a ``Dim``, and an int called ``dim``, ``dim0``, ``dim1``
    #: and so on, is counted from the front before the kernel gets it. An input with a star is
    #: ``*tensors: Tensor`` or ``tensors: Sequence[Tensor]``.
    form: str = ""
    #: One sentence or two.
    doc: str = ""
    #: It is in ``TABLE``.
    listed: bool = True


NAMES = frozenset(Facts.__annotations__)
