"""What the numbers of the influence page mean."""

from ntkcore.analyses.explainer import Explainer
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.permalink import ADDRESSES

_WHAT = r"""
A wide network trained by gradient flow on $\tfrac12\sum_i\|f(x_i)-y_i\|^2+\tfrac\lambda2\|\theta-\theta_0\|^2$ predicts, at time $\tau$,

$$f_\tau(x)=f_0(x)+K(x,X)\,A^{-1}\bigl(I-e^{-\tau A}\bigr)\,(Y-f_0(X)),\qquad A=K(X,X)+\lambda I .$$

Leave training image $i$ out, and the same formula on the other images gives $f^{\setminus i}_\tau$. The influence of $i$ on a held-out
$(x,y)$ is the change of its loss:

$$\mathcal I(i,x)=\tfrac12\|f^{\setminus i}_\tau(x)-y\|^2-\tfrac12\|f_\tau(x)-y\|^2 .$$

At the end of training, with $G=A^{-1}$ and $\beta=G\,(Y-f_0(X))$: $f^{\setminus i}(x)-f(x)=-[K(x,X)G]_i\,\beta_i/G_{ii}$.
At a finite $\tau$ the same rank-one step is taken on the resolvent
$(sI+A)^{-1}$; a contour integral gives the time back, to eight digits or more. Images that are **added**, $X'$ with $Y'$, enter likewise:

$$f^{+}(x)-f(x)=S(x,X')\,\bigl(S(X',X')+\lambda I\bigr)^{-1}\,(Y'-f(X')),\qquad S=K-K(\cdot,X)\,G\,K(X,\cdot).$$
"""
_READ = """
- **Positive: helpful.** Without the image, this held-out image's loss would rise. **Negative: harmful.** Near 0: uninfluential.
- The unit is that of the loss ½‖f − y‖²{targets}.
- **A mean** over several held-out images is the influence on their mean loss: how much that would rise.
- **→** on a training image: without it, the held-out image would be taken for another class.
- **Ranks** move with training time: what a network learns first hangs on other images than what it learns last.
- **λ** pulls the weights to where they began. A larger λ spreads influence over more images.
- **What if?** removes all ticked images together, which is more than the sum of their single influences, gives them another label, or
  learns ticked held-out images, too, with their labels, judged by the others.
"""
_NOT = """
- It speaks of the network in the kernel regime: infinitely wide, or linearised where its kernel was taken. A real network follows it the
  better, the wider it is.
- Harmful is not mislabelled: an honest image of a rare kind can harm a prediction, too.
- The influence of one image says little of a group's: images that repeat each other have little influence one by one.
"""


def explainer(result: InfluenceResult) -> Explainer:
    """The explainer of the influence page."""
    single = result.regression.k == 1
    targets = (
        f"; {result.class_names[0]} has the target −1, {result.class_names[1]} +1" if single else "; the target is 1 for the label, else 0"
    )
    epoch = f"One epoch of the training chosen is τ = {result.epoch:.4g}. " if result.epoch else ""
    return Explainer(
        what=_WHAT,
        source="Source: “Rethinking Influence Functions of Neural Networks in the Over-Parameterized Regime”, eqs. 8, 9, 14.",
        read=_READ.format(targets=targets),
        aside=f"{epoch}The paper’s 5000 epochs at rate 0.001 are τ = 5.",
        silent=_NOT,
        analysis="influence",
        show="influences",
        query=ADDRESSES["influence"].write(result.spec),
    )
