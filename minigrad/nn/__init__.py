"""Neural networks: PyTorch's ``nn``. Names only."""

from importlib import import_module
from typing import TYPE_CHECKING

from minigrad.hints import missing

if TYPE_CHECKING:
    from minigrad.nn.activation import ReLU, Sigmoid, Tanh
    from minigrad.nn.container import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
    from minigrad.nn.conv import (
        Conv1d,
        Conv2d,
        Conv3d,
        ConvTranspose1d,
        ConvTranspose2d,
        ConvTranspose3d,
        Fold,
        Unfold,
    )
    from minigrad.nn.flatten import Flatten
    from minigrad.nn.linear import Identity, Linear
    from minigrad.nn.loss import L1Loss, MSELoss
    from minigrad.nn.module import Module
    from minigrad.nn.padding import (
        CircularPad1d,
        CircularPad2d,
        CircularPad3d,
        ConstantPad1d,
        ConstantPad2d,
        ConstantPad3d,
        ReflectionPad1d,
        ReflectionPad2d,
        ReflectionPad3d,
        ReplicationPad1d,
        ReplicationPad2d,
        ReplicationPad3d,
        ZeroPad1d,
        ZeroPad2d,
        ZeroPad3d,
    )
    from minigrad.nn.parameter import Buffer, Parameter
    from minigrad.nn.pooling import (
        AdaptiveAvgPool1d,
        AdaptiveAvgPool2d,
        AdaptiveAvgPool3d,
        AdaptiveMaxPool1d,
        AdaptiveMaxPool2d,
        AdaptiveMaxPool3d,
        AvgPool1d,
        AvgPool2d,
        AvgPool3d,
        LPPool1d,
        LPPool2d,
        LPPool3d,
        MaxPool1d,
        MaxPool2d,
        MaxPool3d,
        MaxUnpool1d,
        MaxUnpool2d,
        MaxUnpool3d,
    )
    from minigrad.nn.upsampling import (
        ChannelShuffle,
        PixelShuffle,
        PixelUnshuffle,
        Upsample,
        UpsamplingBilinear2d,
        UpsamplingNearest2d,
    )

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d", "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "Buffer",
    "ChannelShuffle", "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d",
    "ConstantPad2d", "ConstantPad3d", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d",
    "ConvTranspose2d", "ConvTranspose3d", "Flatten", "Fold", "Identity", "L1Loss", "LPPool1d",
    "LPPool2d", "LPPool3d", "Linear", "MSELoss", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d",
    "MaxUnpool2d", "MaxUnpool3d", "Module", "ModuleDict", "ModuleList", "Parameter", "ParameterDict",
    "ParameterList", "PixelShuffle", "PixelUnshuffle", "ReLU", "ReflectionPad1d", "ReflectionPad2d",
    "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d", "Sequential",
    "Sigmoid", "Tanh", "Unfold", "Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d", "ZeroPad1d",
    "ZeroPad2d", "ZeroPad3d", "functional", "init",
]  # fmt: skip


if not TYPE_CHECKING:
    # By file, as above: a file is loaded when one of its classes is first asked for.
    _FILES = {
        "activation": "ReLU Sigmoid Tanh",
        "container": "ModuleDict ModuleList ParameterDict ParameterList Sequential",
        "conv": """
            Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d Fold Unfold
        """,
        "flatten": "Flatten",
        "linear": "Identity Linear",
        "loss": "L1Loss MSELoss",
        "module": "Module",
        "padding": """
            CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d
            ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d
            ReplicationPad3d ZeroPad1d ZeroPad2d ZeroPad3d
        """,
        "parameter": "Buffer Parameter",
        "pooling": """
            AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d
            AdaptiveMaxPool3d AvgPool1d AvgPool2d AvgPool3d LPPool1d LPPool2d LPPool3d MaxPool1d
            MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d
        """,
        "upsampling": """
            ChannelShuffle PixelShuffle PixelUnshuffle Upsample UpsamplingBilinear2d UpsamplingNearest2d
        """,
    }
    _PLACES = {name: file for file, names in _FILES.items() for name in names.split()}

    def __getattr__(name):
        if name in ("functional", "init", *_FILES):
            return import_module(f"minigrad.nn.{name}")
        if name in _PLACES:
            module = import_module(f"minigrad.nn.{_PLACES[name]}")
            return globals().setdefault(name, getattr(module, name))
        raise missing(__name__, name)

    def __dir__():
        return sorted({*globals(), *__all__, *_FILES})
