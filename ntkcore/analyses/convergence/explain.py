"""What the numbers of the convergence page mean."""

from ntkcore.analyses.convergence.result import ConvergenceResult
from ntkcore.analyses.explainer import Explainer
from ntkcore.permalink import ADDRESSES

_WHAT = r"""
A network $f_\theta$ with $k$ outputs has a $k\times k$ block for every pair of images, from its Jacobian $J$ with respect to all weights:

$$
\Theta(x,z) = J(x)\,J(z)^\top \quad\text{(eq. 3.1)}.
$$

For $n$ images that is an $nk\times nk$ matrix. The **pseudo-NTK** is the kernel of one number, the sum of the outputs:

$$
\hat\Theta(x,z) = \Big[\nabla_\theta \tfrac{1}{\sqrt k}\textstyle\sum_o f_o(x)\Big]
\Big[\nabla_\theta \tfrac{1}{\sqrt k}\sum_o f_o(z)\Big]^\top = \tfrac1k \textstyle\sum_{o,p}\Theta_{op}(x,z) \quad\text{(eq. 3.2)},
$$

an $n\times n$ matrix; the **first logit** is $\Theta_{11}$, of the same size. Either stands for the full kernel as
$\hat\Theta\otimes I_k$. For a fully connected ReLU network of width $w$ at He’s initialisation, with high probability

$$
\frac{\|\hat\Theta(x,z)\otimes I_k-\Theta(x,z)\|_F}{\|\Theta(x,z)\|_F}\in\tilde O(w^{-1/2}) \quad\text{(eq. 3.3)}.
$$

Kernel regression goes on from the network’s outputs $f_0$, with the full kernel and with the cheap one
(here with $\lambda$ added to both diagonals; the thesis has $\lambda = 0$):

$$
f^{\rm lin}(x)=f_0(x)+\Theta(x,X)\,\Theta(X,X)^{-1}(Y-f_0(X)) \quad\text{(eq. 3.4)},
$$

$$
\hat f^{\rm lin}(x)=f_0(x)+\hat\Theta(x,X)\,\hat\Theta(X,X)^{-1}(Y-f_0(X)) \quad\text{(eq. 3.5)}.
$$
"""
_READ = """
- **A dot is one network** (a width, a seed) at one epoch. Lines join the means over seeds; bars are ± one standard error of the mean.
  Click a dot to see its kernel.
- **Grey dashes** fall as w^(−1/2), through the middle of the dots: the rate of eq. 3.3. The fitted **slope** is least squares on the
  logarithms of all dots, with its 95 % interval; the theorem’s rate is −0.5.
- **Relative differences** are to the full kernel: 0 is perfect, 1 is as wrong as taking zero instead.
- **Lines of one kind look alike everywhere**: the full kernel solid, the pseudo-NTK dashed, the first logit dotted,
  the network itself dash-dotted.
- **Accuracies** are on {test:,} held-out images, so that a difference below about {noise:.0f} points may be chance.
- **Spectra** count each eigenvalue of a cheap kernel k times, as its stand-in for the full kernel has it; so do effective ranks.
"""
_NOT = """
- The theorem speaks of fully connected ReLU networks **at initialisation**. After training, and for other networks, a slope is
  an observation.
- Networks are trained here on the **squared loss**, whose dynamics the kernel describes; chapter 3 does not say which loss it trained
  with, and trains for 200 epochs on its own data. Curves over epochs are comparable in kind, not in number.
- **{n:,} images** are few: spectra and accuracies depend on how many there are. The thesis takes 1,000, and all of CIFAR-10
  for Figs. 3.9–3.12.
- Equal predictions do not make equal kernels: the thesis finds that predictions agree more and more during training
  while the kernels themselves drift apart.
- Seconds are this machine’s and this engine’s, which shares work among the outputs of the full kernel; ratios differ elsewhere.
- BatchNorm is frozen in the kernels (each output depends on its own image alone), while training uses the batch’s statistics.
"""


def explainer(result: ConvergenceResult) -> Explainer:
    """The explainer of the convergence page."""
    spec = result.spec
    return Explainer(
        what=_WHAT,
        source="Source: M. A. Mohamadi, “Insights From Infinitely Wide Neural Networks” (UBC, 2023), chapter 3, which writes n for the "
        "width and O for the number of outputs.",
        read=_READ.format(test=spec.test, noise=100 / spec.test**0.5),
        aside="λ_min below the rounding of the kernel’s precision cannot be told from 0; the condition number is then left out.",
        silent=_NOT.format(n=spec.dataset.n),
        analysis="convergence",
        show="comparison_table",
        query=ADDRESSES["convergence"].write(spec),
    )
