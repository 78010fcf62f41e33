"""What the numbers of the Label page mean."""

from ntkcore.analyses.explainer import Explainer
from ntkcore.analyses.label.sitting import Sitting
from pages.shared.explain import explain

_WHAT = r"""
The network $f$ was trained on the labels $Y$ of the items $L$; it is linearised there, with the pseudo-NTK $\Theta$, and fitted to all
labels of now. For the items $U$ without one,

$$
S = \Theta_{UU} - \Theta_{UL}(\Theta_{LL}+\lambda I)^{-1}\Theta_{LU},\qquad
f^{\rm lin}_{+}(x) = f^{\rm lin}(x) - \frac{S(x,x')}{S(x',x')+\lambda}\,\big(f^{\rm lin}(x') - y'\big)\quad\text{(eq. 2.12)}
$$

is what it would say of $x$ if $x'$ had the label $y'$. The item that is asked for has the largest sum of changes

$$
A(x') = \sum_{x\in U}\|f^{\rm lin}_{+}(x) - f^{\rm lin}(x)\|\quad\text{(eq. 2.13)},
$$

with $y'$ the class that is suggested. When its label is known, $S$ and $f^{\rm lin}$ are brought up to date in $|U|^2$ operations, without
training.
"""
_READ = """
- **If it is …, n predictions change**: so many other items would be called otherwise; the pictures are those whose outputs move most.
- **After your last answer**: what really changed, beside what was expected before it (the mean over the classes by their probabilities).
- **Probabilities** are the outputs projected on those that add up to 1; two classes have one output, −1 and +1.
- **Right on what is held out** is there in practice only, where labels are known; *at random* is a forecast of as many labels drawn at
  random, by the kernel of the session’s first network.
- **An answer changes …**: the mean of the last ten; ρ is Spearman’s, of the scores before and after an answer. Near 0 % and 1,
  further labels teach this network little.
- **Two people** get different items: each is one person’s for five minutes. Nobody’s label replaces one that they have not seen.
"""
_NOT = """
- What is asked for is **no fair sample**: shares among the labels given say nothing of the set.
- The kernel is that of the network that suggests. It is exact for the linearised network, and as good for the network as that is; a new
  network is trained every {every:,} labels, and used when somebody says so.
- λ is {ridge:g} of the kernel’s mean diagonal: small, so that labels are fitted nearly exactly, and a wrong one is, too.
- A suggestion that is shown **sways the answer**. The switch hides it; whether it was shown is kept with each label.
"""


def explain_label(sitting: Sitting) -> None:
    """The explainer of the Label page."""
    explain(
        Explainer(
            what=_WHAT,
            source="Source: M. A. Mohamadi, “Insights From Infinitely Wide Neural Networks” (UBC, 2023), chapter 2; with λ, and with the "
            "inverse that its v lacks.",
            read=_READ,
            aside="Labels are in the library on this server as soon as a key is pressed.",
            silent=_NOT.format(every=sitting.spec.every, ridge=sitting.spec.ridge),
        )
    )
