"""What the duplicates page says, and what it does not."""

from ntkcore.analyses.duplicates.result import DuplicatesResult
from ntkcore.analyses.duplicates.views import BITS
from ntkcore.analyses.explainer import Explainer
from ntkcore.data.duplicates import BITS as OF
from ntkcore.permalink import ADDRESSES

_WHAT = r"""
- **The same file**, byte for byte as it came, by its SHA-256, where the set keeps or refers to its originals; else **the same pixels**, as
  the network gets them. Of texts, the same characters.
- **The same picture**: the same pixels in another file; or perceptual hashes, the signs of the low frequencies of a gray copy, differ in at
  most {bits} of {of} bits, and small gray copies (32 × 32 pixels) correlate by at least the chosen amount.
- **The same to the network**: $k(x,z)\,/\sqrt{{k(x,x)\,k(z,z)}}$ is at least the chosen cosine. At 1 the gradients are parallel, and the
  kernel is singular.

Groups are what these pairs connect.
"""
_READ = """
- **Labels differ**: one of them is wrong, or the picture shows both. They come first.
- **Leak**: a copy is held out of an image that is trained on, so that a network may know the answer by heart.
- **Stays**: of each group the first image with the class that most have, a training image where there is one.
"""
_NOT = """
- Another photograph of the same thing is another picture. A mirrored or cropped one has another hash, too.
- Drawings and small images have little in them: look at what is found before leaving it out.
- Copies are not always a mistake: what occurs often may be meant to count more.
- A network is asked only where its kernel is stored for these very images: compute Influence on them.
"""


def explainer(result: DuplicatesResult) -> Explainer:
    """The explainer of the duplicates page."""
    return Explainer(
        what=_WHAT.format(bits=BITS, of=OF),
        source="Source: perceptual hash (pHash) by ImageHash 4.3.2, after Zauner (2010) and N. Krawetz.",
        read=_READ,
        aside="Everything but the network’s word is there before anything is trained.",
        silent=_NOT,
        analysis="duplicates",
        show="table",
        query=ADDRESSES["duplicates"].write(result.spec),
    )
