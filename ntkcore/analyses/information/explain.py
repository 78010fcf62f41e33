"""What the numbers of the information page mean."""

from ntkcore.analyses.explainer import Explainer
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.permalink import ADDRESSES

_WHAT = r"""
What do the weights $W$ know of a training image $z_i$ that no other image tells? With $S_{-i}$ the other images, that is the conditional
mutual information $I(W;z_i\mid S_{-i})$. On average over $z_i$ it is at most how far training with the image ends from training without
it,

$$I(W;z_i\mid S_{-i})\;\le\;\mathrm{KL}\bigl(p(w\mid S)\,\|\,p(w\mid S_{-i})\bigr),\qquad(3)$$

a measure of **stability**. A deterministic training has no density, so its
weights, or its outputs, are blurred by a Gaussian. With $\Sigma$ in weight space this is **SI**, with $\sigma^2I$ on the outputs **F-SI**:

$$\mathrm{SI}(z_i)=\tfrac12\,(w-w_{-i})^\top\Sigma^{-1}(w-w_{-i}),\qquad(5)$$

$$\text{F-SI}(z_i)=\frac{1}{2\sigma^2}\,\frac1m\sum_{x}\bigl\|f_w(x)-f_{w_{-i}}(x)\bigr\|^2,\qquad(8, 16)$$

the mean over the $m$ held-out images (the paper’s eq. 16 lost the square). Both are in nats; here $\sigma=1$ and $\Sigma=I$. With
$A=K(X,X)+\lambda I$, a network in the kernel regime has at training time $\tau$

$$f_\tau(x)=f_0(x)+K(x,X)\,A^{-1}\bigl(I-e^{-\tau A}\bigr)\,(Y-f_0(X)),$$

and the weights $w_\tau=w_0+J(X)^\top c$, so that $\|w-w_{-i}\|^2=\delta^\top K\delta$ with $\delta=c-c_{-i}$: no weight is ever touched.
All $n$ removals follow from one decomposition of $K$, exactly, at every $\tau$.

**The leave-one-out residual** asks the other question of the same removals: not how far all outputs move, but how far off its label the
network is that has not seen the image. With $G=A^{-1}$ and $\beta=G\,(Y-f_0(X))$, at the end of training

$$r_i=f^{\setminus i}(x_i)-y_i=-\beta_i/G_{ii},$$

of a full kernel $r_i=-G_{ii}^{-1}\beta_i$ with $k\times k$ blocks; images are ranked by $\|r_i\|$, in the unit of the targets. At a finite
$\tau$ it is $f_\tau(x_i)-y_i$ and what the removal moves $f_\tau(x_i)$ by.

With noise of its own, SGD needs no blur: its steady state has the covariance that solves $H\Sigma+\Sigma H=\frac\eta b\Lambda$ (14),
$H=J^\top J+\lambda I$; for Langevin dynamics, $\Lambda=\sigma^2I$ (15),

$$\mathrm{SI}(z_i)=\frac{b}{\eta\sigma^2}\,(w-w_{-i})^\top H\,(w-w_{-i}).$$

Both are under “Can I believe the number?”, “By SGD’s noise”, with the $\sigma$ that $\Lambda$ has on average, so that they differ by the
noise’s shape alone. Before the end of training they take $\Sigma_\tau=\Sigma-e^{-\tau H}\Sigma e^{-\tau H}$, $\Lambda$ at $w_\tau$.
"""
_READ = """
- **Near 0**: the network would predict the same without the image. **Large**: its predictions on images it has not seen would move.
- **The unit** is a nat: ½ is a root-mean-square move of one σ, and σ = 1 is half the distance of two classes with targets ±1. What matters
  is the order, and the factor between two images.
- **Over training time**: an image may tell much early, when few others have been learned, and nothing at the end, or only then.
- **Informative is not good.** The ends of the ranking are the typical and easy images (least) and the rare, the difficult and the
  mislabelled ones (most).
- **The leave-one-out residual** above 1 with two classes (targets ±1): the network that has not seen the image takes it for the other
  class, or overshoots its own by as much. Of all scores here it found most wrong labels among photographs (docs/photographs.md: ROC-AUC
  0.97 to 0.99, F-SI 0.96 to 0.98).
- **Influence** has a sign and knows the held-out labels; F-SI has no sign and does not use them.
"""
_NOT = """
- **Unique, not total.** Two copies of one image tell nothing each, for either can go; together they may tell much. A group’s information is
  not the sum of its images’.
- It is an **upper bound** of the information, and that on average over images: the toy below shows both.
- It depends on the network, its initialisation and the training time; “Can I believe the number?” measures how much.
- It speaks of the network in the kernel regime: infinitely wide, or linearised where its kernel was taken. For small networks trained from
  scratch that can fail altogether, as the paper’s own CNN shows.
- The mean is over these held-out images: what only other images would show does not count.
"""


def explainer(result: InfluenceResult) -> Explainer:
    """The explainer of the information page."""
    epoch = f"One epoch of the training chosen is τ = {result.epoch:.4g}. " if result.epoch else ""
    return Explainer(
        what=_WHAT,
        source="Source: “Estimating Informativeness of Samples with Smooth Unique Information”, eqs. 3-5, 8, 13-16, 50; the residual: "
        "Allen 1974 (PRESS).",
        read=_READ,
        aside=f"{epoch}The paper averages the loss over n images: t of its steps at rate η are τ = tη/n, and its λ is λn here. Its "
        "code keeps the averaged loss’s rate without an image, too; that, its discrete steps, and its scores by training outputs and "
        "by training loss are choices above the gallery.",
        silent=_NOT,
        analysis="information",
        show="information_table",
        query=ADDRESSES["information"].write(result.spec),
    )
