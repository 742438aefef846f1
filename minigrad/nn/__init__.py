"""Neural networks: PyTorch's ``nn``. Names only."""
# ruff: noqa: F403

from typing import TYPE_CHECKING

from minigrad.hints import module_getattr
from minigrad.hints.whole import whole

if TYPE_CHECKING:
    from minigrad.nn import functional as functional
    from minigrad.nn import grad as grad
    from minigrad.nn import init as init
    from minigrad.nn import parallel as parallel
    from minigrad.nn import utils as utils
    from minigrad.nn.activation import *
    from minigrad.nn.adaptive import *
    from minigrad.nn.container import *
    from minigrad.nn.conv import *
    from minigrad.nn.dropout import *
    from minigrad.nn.flatten import *
    from minigrad.nn.fractional import *
    from minigrad.nn.lazy import *
    from minigrad.nn.linear import *
    from minigrad.nn.loss import *
    from minigrad.nn.module import Module as Module
    from minigrad.nn.normalization import *
    from minigrad.nn.padding import *
    from minigrad.nn.parallel import DataParallel as DataParallel
    from minigrad.nn.parameter import Buffer as Buffer
    from minigrad.nn.parameter import Parameter as Parameter
    from minigrad.nn.parameter import UninitializedBuffer as UninitializedBuffer
    from minigrad.nn.parameter import UninitializedParameter as UninitializedParameter
    from minigrad.nn.pooling import *
    from minigrad.nn.projected import *
    from minigrad.nn.rnn import *
    from minigrad.nn.sparse import *
    from minigrad.nn.transformer import *
    from minigrad.nn.upsampling import *

__all__ = module_getattr(
    globals(),
    {
        "activation": """
            CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid LogSoftmax
            Mish PReLU RReLU ReLU ReLU6 SELU SiLU Sigmoid Softmax Softmax2d Softmin Softplus Softshrink
            Softsign Tanh Tanhshrink Threshold
        """,
        "container": "ModuleDict ModuleList ParameterDict ParameterList Sequential",
        "conv": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d Fold Unfold",
        "dropout": "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout",
        "flatten": "Flatten Unflatten",
        "lazy": """
            LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyConv1d LazyConv2d LazyConv3d
            LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d LazyInstanceNorm1d
            LazyInstanceNorm2d LazyInstanceNorm3d LazyLinear
        """,
        "linear": "Bilinear Identity Linear",
        "loss": """
            BCELoss BCEWithLogitsLoss CTCLoss CosineEmbeddingLoss CosineSimilarity CrossEntropyLoss
            GaussianNLLLoss HingeEmbeddingLoss HuberLoss KLDivLoss L1Loss MSELoss MarginRankingLoss
            MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss NLLLoss2d PairwiseDistance
            PoissonNLLLoss SmoothL1Loss SoftMarginLoss TripletMarginLoss TripletMarginWithDistanceLoss
        """,
        "module": "Module",
        "normalization": """
            BatchNorm1d BatchNorm2d BatchNorm3d GroupNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d
            CrossMapLRN2d LayerNorm LocalResponseNorm RMSNorm SyncBatchNorm
        """,
        "padding": """
            CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d
            ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d
            ReplicationPad3d ZeroPad1d ZeroPad2d ZeroPad3d
        """,
        "parallel": "DataParallel",
        "parameter": "Buffer Parameter UninitializedBuffer UninitializedParameter",
        "pooling": """
            AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d
            AdaptiveMaxPool3d AvgPool1d AvgPool2d AvgPool3d LPPool1d LPPool2d LPPool3d MaxPool1d
            MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d
        """,
        "fractional": "FractionalMaxPool2d FractionalMaxPool3d",
        "projected": "LinearCrossEntropyLoss LinearCrossEntropyOptions",
        "rnn": "GRU LSTM RNN GRUCell LSTMCell RNNBase RNNCell RNNCellBase",
        "adaptive": "AdaptiveLogSoftmaxWithLoss",
        "sparse": "Embedding EmbeddingBag",
        "transformer": """
            MultiheadAttention Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder
            TransformerEncoderLayer
        """,
        "upsampling": """
            ChannelShuffle PixelShuffle PixelUnshuffle Upsample UpsamplingBilinear2d UpsamplingNearest2d
        """,
        **dict.fromkeys(
            ("_reduction", "attention", "common_types", "functional", "grad", "init", "modules", "utils"), ""
        ),
    },
)
__all__ += ["functional", "grad", "init", "parallel", "utils"]
whole(__name__)
