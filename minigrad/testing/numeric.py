"""The verdicts of gradient checks (`FACTOR`, `SIGN`, ...), and the facts in ``GradcheckError.findings``."""

from minigrad.gradcheck.numeric.kinds import *
from minigrad.gradcheck.numeric.problem import Finding as Finding
