"""What the numbers of the reliability page mean."""

from ntkcore.analyses.explainer import Explainer
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.permalink import ADDRESSES

_WHAT = r"""
The true influence of a training image $i$ on a held-out $(x,y)$ is the change of its loss when $i$ is removed and training ends anew. With
$\alpha_i(x)=[K(x,X)(K+\lambda I)^{-1}]_i$ and the residual of the network that has not seen $i$, $r_i=f^{\setminus i}(x_i)-y_i$, it is

$$\mathcal I(i,x)=\alpha_i(x)\,\bigl(f(x)-y\bigr)\,r_i+\tfrac12\,\alpha_i(x)^2\,r_i^2 .\qquad(14)$$

Removing and training anew costs much, so practice takes one step of Newton's method, an inverse-Hessian-vector product (IHVP); for wide
networks it is

$$
\hat{\mathcal I}(i,x)=\nabla\ell(x)^\top (H+\lambda I)^{-1}\nabla\ell(x_i)\;\to\;\alpha_i(x)\,\bigl(f(x)-y\bigr)\bigl(f(x_i)-y_i\bigr).
\qquad(12, 13)
$$

The second term of (14) is small as a rule (15), so what differs is the residual: IHVP takes that of the network which was trained on $x_i$,
$f(x_i)-y_i=(1-A_i)\,r_i$ with the leverage $A_i=[K(K+\lambda I)^{-1}]_{ii}$. Hence **the error rate of a training image is about its
leverage**: how much of its label the network reproduces only because it was there.

Theorem 3, lower bound, as $A_i\ge\lambda_{\min}/(\lambda_{\min}+\lambda)$:

$$|\mathcal I-\hat{\mathcal I}|\ge\frac{\lambda_{\min}}{\lambda_{\min}+\lambda}|\mathcal I|-\tfrac12\,\alpha_i(x)^2\,r_i^2,\qquad(16)$$

where the last term is $O\bigl(\gamma/(\delta\lambda n^{3/2})\bigr)$ with probability $1-\delta$ under further assumptions (17). Theorem 4,
upper bound, for samples in clusters of share $p_k$ and radius $r$, and $\lambda>\sqrt2\lambda_{\max}\varepsilon_r/(1-\sqrt2\varepsilon_r)$,
$\varepsilon_r^2=2r^2+\arccos(1-2r^2)$:

$$|\mathcal I-\hat{\mathcal I}|\;\le\;\sqrt{\frac{\gamma}{n^2p_k}}\;|\mathcal I|+\tfrac12\,\alpha_i(x)^2\,r_i^2 .\qquad(18)$$
"""
_READ = """
- **Error rate** |I − Î| / |I|: 0 % is exact, 100 % is as bad as answering 0. The mean over pairs is moved by pairs whose influence is
  almost 0; the median is not.
- **Over λ**: with a small λ the network reproduces every label, the residuals that IHVP takes vanish, and its error rate nears 100 %.
- **Density**: an image with near neighbours is predicted well without itself, so its leverage is small. IHVP misses the
  influence of images that are alone.
- **On a real network** the inverse is estimated by LiSSA, `s ← v + (I − (H_batch + λI) / scale) s`, whose batches make each run differ
  and whose end leaves a bias; conjugate gradients solve the same system without chance. Retraining is the truth for both.
- **Lights**: an influence is used for its order and its size, so these are judged, against the exact influence, over the
  most influential images of each held-out one.
"""
_NOT = """
- But for the part on a real network, everything here is of the kernel regime, with the inverse Hessian exact. What a network's finite
  width and a stochastic estimate of the inverse add is measured there, for one held-out image at a time.
- A light speaks of one λ, one kernel and one set of training images.
- The density is that of a few principal components of the pixels, not of what makes two images alike to a person. In many dimensions an
  estimate says little: each image is alone.
- The lower bound's equation (17) assumes a small generalisation error; what is counted above is the exact inequality (16).
"""


def explainer(result: InfluenceResult) -> Explainer:
    """The explainer of the reliability page."""
    return Explainer(
        what=_WHAT,
        source="Source: “Rethinking Influence Functions of Neural Networks in the Over-Parameterized Regime”, eqs. 12-18, "
        "Theorems 3 and 4.",
        read=_READ,
        aside="Density: a Gaussian kernel estimate on the principal components of the standardised pixels. Spearman’s interval is a "
        "bootstrap’s, Pearson’s that of Fisher’s transformation.",
        silent=_NOT,
        analysis="reliability",
        show="error_rates",
        query=ADDRESSES["influence"].write(result.spec),
    )
