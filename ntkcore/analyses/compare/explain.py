"""What a comparison means."""

from ntkcore.analyses.compare.look import LEADING, REPLICATES
from ntkcore.analyses.compare.result import CompareResult
from ntkcore.analyses.explainer import Explainer
from ntkcore.permalink import ADDRESSES

_WHAT = rf"""
A number of each image, such as its unique information or its leave-one-out residual, is taken from A’s kernel regression and from B’s, on
the same images with the same labels. **Spearman’s ρ** is Pearson’s correlation of the two rankings, equal numbers sharing their mean rank;
**Kendall’s $\tau_b$** counts pairs of images:

$$\rho=\operatorname{{corr}}(R_A,R_B),\qquad \tau_b=\frac{{C-D}}{{\sqrt{{(C+D+T_A)(C+D+T_B)}}}},$$

$C$ pairs that both order alike, $D$ those ordered oppositely, $T$ those that one of them ties. The interval of ρ is the percentile
bootstrap over images ({REPLICATES:,} samples with replacement, each ranked anew). The kernels themselves are compared by their
**centred alignment**
$\langle HKH,HLH\rangle_F/(\|HKH\|_F\,\|HLH\|_F)$, $H=I-\tfrac1n 11^\top$, which no factor changes.
"""
_READ = f"""
- **Moved up**: nearer to the largest number in B than in A. What is up in both is robust against the choice; what moves depends on it.
- **The largest**: the first {100 * LEADING:.0f} % by the number. That many squared over all would be shared by chance.
- **Numbers are those of the end of training** of the kernel regression, at A’s and at B’s λ. k(x,x) has a unit of its own in each network:
  its values do not compare, its ranks do.
- **Epoch learned** can be compared where the Learnability of both networks is computed for the same images.
- A click on an image shows all its numbers in both, and who is most alike to it in each.
"""
_NOT = """
- The interval is that of drawing other images into two rankings that are as they are. It does not know that images share a kernel, nor what
  another seed would do: compare seeds for that.
- A high ρ says that both rank alike, not that either is right.
- Two networks with aligned kernels may still predict differently: targets and λ have their say.
"""


def explainer(result: CompareResult) -> Explainer:
    """The explainer of a comparison."""
    return Explainer(
        what=_WHAT,
        source="Sources: Kendall 1945 (τ_b); Efron, Tibshirani 1993, §13.3 (percentile bootstrap); Cortes, Mohri, Rostamizadeh 2012 "
        "(centred alignment).",
        read=_READ,
        aside="Of a full kernel the mean over outputs is taken where kernels are compared.",
        silent=_NOT,
        analysis="compare",
        show="table",
        query=ADDRESSES["compare"].write(result.spec),
    )
