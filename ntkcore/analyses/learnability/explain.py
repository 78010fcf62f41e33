"""What the numbers of the learnability page mean."""

from ntkcore.analyses.explainer import Explainer
from ntkcore.analyses.learnability.result import LearnabilityResult
from ntkcore.permalink import ADDRESSES

_WHAT = r"""
Train a network $f_\theta$ by gradient flow on $\tfrac12\sum_i\|f(x_i)-y_i\|^2$. Its errors $e_t = f_t - y$ follow
$\dot e = -\eta K e$ with the neural tangent kernel $K(x,z)=\nabla_\theta f(x)\,\nabla_\theta f(z)^\top$, so that

$$
e_t = \exp(-\eta K t)\,e_0 \quad\text{(eq. 17)},\qquad\text{and if $K$ were diagonal,}\quad
e_t(x_i) = \exp(-\eta\,k(x_i,x_i)\,t)\,e_0(x_i)\quad\text{(eq. 16)}.
$$

Then an image with a larger $k(x,x)=\tfrac1k\sum_o\|\nabla_\theta f_o(x)\|^2$ is learned sooner. The envelope
$e^{-\eta k_{\max}t}|e_0|\le|e_t|\le e^{-\eta k_{\min}t}|e_0|$ (eq. 15) holds for the diagonal prediction's absolute values.
"""
_READ = """
- **Hard / easy** are the images with the smallest / largest k(x,x). {ranking}
- **Solid lines are the real network.** Dotted: each image on its own (eq. 16). Dashed: all images coupled (eq. 17).
  Dotted against dashed shows what the entries off the diagonal do. Dashed against solid holds everything else: the network
  leaving its linearisation, steps of finite size, the noise of small batches, and one kernel for all outputs.
- **Correct, learned, error** are judged against the label the network was trained on{noise}.
- **ρ** is the rank correlation between k(x,x) and the epoch from which an image stays correct; images never learned rank last,
  images that are right before training and stay so rank first, though chance may have put them there.
  A negative ρ agrees with the theory. The interval is a bootstrap over images.
"""
_NOT = """
- It does not say that a hard image is mislabelled or atypical: a small gradient has many causes, brightness among them.
- Eq. 16 neglects all off-diagonal entries. For real images these are large, so its decay is usually too slow: judge by the dashed line.
- Several outputs share one kernel here, the mean over outputs; eq. 17 with the complete kernel would couple the outputs, too.
- BatchNorm is frozen in the kernel (each output depends on its own image alone), while training uses the batch's statistics.
"""


def explainer(result: LearnabilityResult) -> Explainer:
    """The explainer of the learnability page."""
    spec = result.spec
    ranking = "Nothing about labels or training enters the ranking."
    if spec.kernel_epoch or spec.model.weights == "pretrained":
        ranking = "The network was trained before its kernel was taken, so what it had learned enters the ranking."
    noise = ": of a flipped image, the flipped label" if spec.dataset.label_noise else ""
    return Explainer(
        what=_WHAT,
        source="Source: “Learnability in the Context of Neural Tangent Kernels”, eqs. 14–18; |·| added in eq. 15.",
        read=_READ.format(ranking=ranking, noise=noise),
        aside=f"One epoch is gradient-flow time τ = rate / (batch × (1 − momentum)) = {result.epoch_time:.4g} on the summed loss.",
        silent=_NOT,
        analysis="learnability",
        show="ranking",
        query=ADDRESSES["learnability"].write(spec),
    )
