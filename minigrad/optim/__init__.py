"""Optimizers: PyTorch's ``optim``. Names only."""
# ruff: noqa: F403

from typing import TYPE_CHECKING

from minigrad.hints import module_getattr
from minigrad.hints.whole import whole

if TYPE_CHECKING:
    from minigrad.optim import lr_scheduler as lr_scheduler
    from minigrad.optim import swa_utils as swa_utils
    from minigrad.optim.adadelta import *
    from minigrad.optim.adafactor import *
    from minigrad.optim.adagrad import *
    from minigrad.optim.adam import *
    from minigrad.optim.adamax import *
    from minigrad.optim.asgd import *
    from minigrad.optim.lbfgs import *
    from minigrad.optim.muon import *
    from minigrad.optim.nadam import *
    from minigrad.optim.optimizer import Optimizer as Optimizer
    from minigrad.optim.radam import *
    from minigrad.optim.rmsprop import *
    from minigrad.optim.rprop import *
    from minigrad.optim.sgd import *
    from minigrad.optim.sparse_adam import *

__all__ = module_getattr(
    globals(),
    {
        "adadelta": "Adadelta", "adafactor": "Adafactor", "adagrad": "Adagrad", "adam": "Adam AdamW",
        "adamax": "Adamax", "asgd": "ASGD", "lbfgs": "LBFGS", "lr_scheduler": "", "muon": "Muon", "nadam": "NAdam",
        "optimizer": "Optimizer", "radam": "RAdam", "redundancy": "", "rmsprop": "RMSprop", "rprop": "Rprop",
        "sgd": "SGD", "sparse_adam": "SparseAdam", "swa_utils": "",
    },
)  # fmt: skip
__all__ += ["lr_scheduler", "swa_utils"]
whole(__name__)
