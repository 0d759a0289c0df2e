"""Losses as modules: MSELoss, CrossEntropyLoss and their kin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradrepl.engine.api import SPACES
from gradrepl.engine.nn.module import Module
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.ops.criterion import reduction_of
from gradrepl.engine.ops.neural import pairwise_distance
from gradrepl.engine.tensor import Tensor

functional = SPACES["torch.nn.functional"]


class _Loss(Module):
    """What all losses share: how single losses become one number."""

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        old = size_average is not None or reduce is not None
        self.reduction = reduction_of(size_average, reduce, "mean", 4) if old else reduction


def passed(loss: Any, names: str) -> dict[str, Any]:
    """Return settings of a loss as its function takes them, by their names."""
    return {name: getattr(loss, name) for name in names.split()}


class _WeightedLoss(_Loss):
    """A loss with a weight for every class."""

    def __init__(
        self, weight: Any = None, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class MSELoss(_Loss):
    """The squared error (torch.nn.MSELoss)."""

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return functional["mse_loss"](input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """The absolute error (torch.nn.L1Loss)."""

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return functional["l1_loss"](input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """The absolute error, squared near 0 (torch.nn.SmoothL1Loss)."""

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean", beta: float = 1.0
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return functional["smooth_l1_loss"](input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """The squared error, linear far from 0 (torch.nn.HuberLoss)."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        if not isinstance(delta, (float, int)):
            raise TypeError(f"delta must be a float or int, got: {type(delta)}")
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return functional["huber_loss"](input, target, reduction=self.reduction, delta=self.delta)


class CrossEntropyLoss(_WeightedLoss):
    """The cross entropy of logits and classes or probabilities (torch.nn.CrossEntropyLoss)."""

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Any:
        names = "weight ignore_index reduction label_smoothing"
        return functional["cross_entropy"](input, target, **passed(self, names))


class NLLLoss(_WeightedLoss):
    """The negative log likelihood of the classes (torch.nn.NLLLoss)."""

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return functional["nll_loss"](input, target, **passed(self, "weight ignore_index reduction"))


class CTCLoss(_Loss):
    """The negative log likelihood of sequences without alignment (torch.nn.CTCLoss)."""

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any) -> Any:
        names = "blank reduction zero_infinity"
        return functional["ctc_loss"](log_probs, targets, input_lengths, target_lengths, **passed(self, names))


class BCELoss(_WeightedLoss):
    """The cross entropy of probabilities of two classes (torch.nn.BCELoss)."""

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return functional["binary_cross_entropy"](input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """The cross entropy of logits of two classes (torch.nn.BCEWithLogitsLoss)."""

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Any = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Any:
        names = "weight pos_weight reduction"
        return functional["binary_cross_entropy_with_logits"](input, target, **passed(self, names))


class KLDivLoss(_Loss):
    """The divergence of Kullback and Leibler (torch.nn.KLDivLoss)."""

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return functional["kl_div"](input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(_Loss):
    """The negative log likelihood of a Poisson distribution (torch.nn.PoissonNLLLoss)."""

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Tensor, target: Tensor) -> Any:
        return functional["poisson_nll_loss"](log_input, target, **passed(self, "log_input full eps reduction"))


class GaussianNLLLoss(_Loss):
    """The negative log likelihood of a normal distribution (torch.nn.GaussianNLLLoss)."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Tensor, var: Any) -> Any:
        return functional["gaussian_nll_loss"](input, target, var, **passed(self, "full eps reduction"))


class SoftMarginLoss(_Loss):
    """log(1 + e ** (-target * input)) (torch.nn.SoftMarginLoss)."""

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return functional["soft_margin_loss"](input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """The mean binary cross entropy of the labels of each example (torch.nn.MultiLabelSoftMarginLoss)."""

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return functional["multilabel_soft_margin_loss"](input, target, weight=self.weight, reduction=self.reduction)


class _MarginLoss(_Loss):
    """A loss with a margin, which is 0 at first."""

    def __init__(
        self, margin: float = 0.0, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class HingeEmbeddingLoss(_MarginLoss):
    """A distance, or what it lacks to a margin (torch.nn.HingeEmbeddingLoss)."""

    def __init__(
        self, margin: float = 1.0, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return functional["hinge_embedding_loss"](input, target, margin=self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(_MarginLoss):
    """How far two vectors are from pointing the same way (torch.nn.CosineEmbeddingLoss)."""

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Any:
        return functional["cosine_embedding_loss"](input1, input2, target, margin=self.margin, reduction=self.reduction)


class MarginRankingLoss(_MarginLoss):
    """How far two numbers are from being in the right order (torch.nn.MarginRankingLoss)."""

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Any:
        return functional["margin_ranking_loss"](input1, input2, target, margin=self.margin, reduction=self.reduction)


class MultiMarginLoss(_WeightedLoss):
    """How far wrong classes come near the right one (torch.nn.MultiMarginLoss)."""

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        if weight is not None and weight.dim() != 1:
            raise ValueError(f"MultiMarginLoss: expected weight to be None or 1D tensor, got {weight.dim()}D instead")
        self.p, self.margin = p, margin

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return functional["multi_margin_loss"](input, target, **passed(self, "p margin weight reduction"))


class MultiLabelMarginLoss(_Loss):
    """How far other classes come near the labels (torch.nn.MultiLabelMarginLoss)."""

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return functional["multilabel_margin_loss"](input, target, reduction=self.reduction)


class TripletMarginLoss(_Loss):
    """How much nearer the positive is than the negative (torch.nn.TripletMarginLoss)."""

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if margin <= 0:
            raise ValueError(f"TripletMarginLoss: expected margin to be greater than 0, got {margin} instead")
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Any:
        names = "margin p eps swap reduction"
        return functional["triplet_margin_loss"](anchor, positive, negative, **passed(self, names))


class TripletMarginWithDistanceLoss(_Loss):
    """TripletMarginLoss with any distance (torch.nn.TripletMarginWithDistanceLoss)."""

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        if margin <= 0:
            raise ValueError(
                f"TripletMarginWithDistanceLoss: expected margin to be greater than 0, got {margin} instead"
            )
        self.distance_function = pairwise_distance if distance_function is None else distance_function
        self.margin, self.swap = margin, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Any:
        names = "distance_function margin swap reduction"
        return functional["triplet_margin_with_distance_loss"](anchor, positive, negative, **passed(self, names))


class CosineSimilarity(Module):
    """The cosine of the angle between vectors (torch.nn.CosineSimilarity)."""

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Any:
        return functional["cosine_similarity"](x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The p-norm of the differences of rows (torch.nn.PairwiseDistance)."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Any:
        return functional["pairwise_distance"](x1, x2, self.norm, self.eps, self.keepdim)


export(
    "torch.nn.modules.loss",
    *(
        MSELoss,
        L1Loss,
        SmoothL1Loss,
        HuberLoss,
        CrossEntropyLoss,
        NLLLoss,
        CTCLoss,
        BCELoss,
        BCEWithLogitsLoss,
        KLDivLoss,
    ),
    *(
        PoissonNLLLoss,
        GaussianNLLLoss,
        MultiMarginLoss,
        MultiLabelMarginLoss,
        SoftMarginLoss,
        MultiLabelSoftMarginLoss,
        HingeEmbeddingLoss,
    ),
    *(CosineEmbeddingLoss, MarginRankingLoss, TripletMarginLoss, TripletMarginWithDistanceLoss),
)
export("torch.nn.modules.distance", CosineSimilarity, PairwiseDistance)
