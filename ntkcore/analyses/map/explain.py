"""What the map means."""

from ntkcore.analyses.explainer import Explainer
from ntkcore.analyses.map.result import MapResult
from ntkcore.analyses.map.views import NEIGHBOURS
from ntkcore.permalink import ADDRESSES

_WHAT = r"""
To the network two images are as far apart as their gradients, of which the kernel $k(x,z)=\langle\nabla f(x),\nabla f(z)\rangle$ is the
product:

$$\|\nabla f(x)-\nabla f(z)\|^2=k(x,x)+k(z,z)-2\,k(x,z).$$

**The kernel’s plane** has the leading eigenvectors of the centred kernel $HKH$, $H=I-\tfrac1n 11^\top$: image $i$ lies at
$\sqrt{\lambda_j}\,v_{ij}$ on axis $j$. All $n-1$ axes together would keep every distance; an axis has the share
$\lambda_j/\operatorname{tr}HKH$ of them.

A held-out image $x$ has no part in the axes; it is projected on them, at $\bigl(k(x,X)-\tfrac1n1^\top K\bigr)\,v_j/\sqrt{\lambda_j}$.

**The neighbour embedding** (t-SNE, perplexity 30, begun from the kernel’s plane) lays each image near its nearest ones by that distance;
a held-out image lies at the median of its ten nearest training images.
"""
_READ = """
- **Near is alike** to this network, at this moment: in another network, or after training, the same images lie elsewhere.
- **A name** stands at the mean of its class. An image far from its name lies among others: mislabelled, or hard.
- **More like this** sorts by the kernel’s cosine, k(x,z) / √(k(x,x) k(z,z)), which does not count how long a gradient is.
- **Distortion** draws an image the paler, the fewer of its {count} true neighbours are among as many on the plane.
- **Points** may be sized by a number: the larger it is (of a signed one its magnitude), the larger the point. Open diamonds are held out.
  Lines of equal density show where many points hide each other.
- Lasso or box: those images alone are in the gallery. A click: the image closely. Zoomed in, points become images.
"""
_NOT = """
- A plane is a shadow: what lies together on it may be far apart in the kernel. The share of true neighbours kept says how far to trust it.
- Distances across a neighbour embedding, and the size and shape of its islands, mean little.
- Held-out images lie where the training images’ axes put them: one that is unlike all of these lies near the middle, not apart.
"""


def explainer(result: MapResult) -> Explainer:
    """The explainer of the map."""
    return Explainer(
        what=_WHAT,
        source="Source: Schölkopf, Smola, Müller 1998 (kernel PCA); van der Maaten, Hinton 2008, by openTSNE (Poličar et al. 2024).",
        read=_READ.format(count=min(NEIGHBOURS, result.near.shape[1])),
        aside="Of a full kernel the mean over outputs is taken.",
        silent=_NOT,
        analysis="map",
        show="table",
        function="image_map",
        query=ADDRESSES["map"].write(result.spec),
    )
