"""What the numbers of the active learning page mean."""

from ntkcore.analyses.active.views import Study
from ntkcore.analyses.explainer import Explainer
from ntkcore.permalink import ADDRESSES

_WHAT = r"""
A network is trained on the labelled images $L$; a strategy chooses from the unlabelled ones $U$; their labels are told, and the network is
trained anew. **Look-ahead** asks what the network *would* say after one more label, without training: linearised where it stands, with the
kernel $\Theta$ there,

$$
f_{L}^{\text{lin}}(x) = f_L(x) + \Theta(x,X_L)\,(\Theta_{LL}+\lambda I)^{-1}(Y-f_L(X_L)),\qquad
f_{L^+}^{\text{lin}}(x) = f_L^{\text{lin}}(x) - \frac{S(x,x')}{S(x',x')+\lambda}\,\bigl(f_L^{\text{lin}}(x')-y'\bigr),
$$

with $S=\Theta_{UU}-\Theta_{UL}(\Theta_{LL}+\lambda I)^{-1}\Theta_{LU}$ (eq. 2.12, with λ), so that one factorisation serves all candidates.
It chooses the $x'$ of the largest change $\sum_{x\in U}\|f_{L^+}^{\text{lin}}(x)-f_L^{\text{lin}}(x)\|_2$ (eq. 2.13), $y'$ being the
network's own guess; *expected change* takes the mean over $y'$, *expected error* the smallest expected entropy (eq. 2.2), *flips* the most
changed predictions.

The same change is also taken with the kernel of infinite width, of a Gaussian process with that kernel in place of the network, after
**one step** of SGD on $(x',y')$ alone, and by **naive retraining** with each of some drawn candidates. **LL4AL** chooses the largest losses
that a head on the network's layers predicts, trained by ranking pairs beside a copy of the network, so that accuracy is the network's own.
The **oracle** is no strategy: the best of some random batches by the accuracy after their true labels, and so a ceiling, though of those
drawn.
"""
_READ = """
- **All strategies begin alike**: a repeat has one start, one initialisation, and one order in which candidates are drawn, for all of them.
  So differences are taken repeat by repeat, and the tests are paired.
- **Bands and intervals** are Student’s 95 % over {seeds} repeat{s}. The marked cycle is one of many: a difference looked for at the best
  of them would be too large. The table’s p is of the mean accuracy over all cycles, the sentence’s of the
  marked one; both are of paired t-tests, corrected for the number of strategies.
- **Labels for an accuracy** are read off the mean curve, linear between cycles.
- **k(x,x)** is of the network before training, so that it depends on no strategy’s labels. Small means learned late.
- **Seconds** hold everything that a choice needs besides the trained network: outputs, features and kernels of up to {pool:,} candidates.
"""
_NOT = """
- Labels are known here and come without error or cost; a person’s do not, and takes a pause at each training.
- The network is trained on **squares**; its outputs become probabilities by {way}, on which entropy, margin and BADGE depend.
- Settings of training are the same for all numbers of labels, and were not tuned on held-out images.
- The linearised network is not the network: how far look-ahead’s forecast holds depends on width, training and λ.
- Accuracy is on {test:,} held-out images, the same in all repeats: differences below about {noise:.1f} points may be theirs.
"""
_WAYS = {"simplex": "the nearest point of the simplex", "softmax": "softmax"}


def explainer(result: Study) -> Explainer:
    """The explainer of the active learning page."""
    spec = result.spec
    return Explainer(
        what=_WHAT,
        source="Source: M. A. Mohamadi, “Insights From Infinitely Wide Neural Networks” (UBC, 2023), chapter 2. Differs from eq. 2.12 "
        "by λ, and by the inverse that its v lacks. BADGE: Ash et al. 2020; core-set: Sener & Savarese 2018; MaxHerding, UHerding: Bae "
        "et al. 2024, 2025; one step and the process: Käding et al. 2016, 2018; LL4AL: Yoo & Kweon 2019.",
        read=_READ.format(seeds=spec.seeds, s="" if spec.seeds == 1 else "s", pool=spec.pool),
        aside="The three parts of a choice, kernels, factorisation and scores, grow with the square of the number of candidates.",
        silent=_NOT.format(way=_WAYS[spec.probabilities], test=spec.test, noise=100 / spec.test**0.5),
        analysis="active",
        show="table",
        query=ADDRESSES["active"].write(spec),
    )
