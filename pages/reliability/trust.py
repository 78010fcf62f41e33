"""A light for each held-out image: trust IHVP here, or not, and why."""

import html
from functools import partial

import streamlit as st

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.materials.thumbnails import with_texts
from ntkcore.analyses.reliability import tables, views
from ntkcore.analyses.workspace import workspace
from ntkcore.figures.reliability import errors as figures
from ntkcore.specs.influence import InfluenceView
from ntkcore.specs.reliability import ReliabilityView
from pages.reliability.choice import LINK
from pages.shared import choice as links
from pages.shared import frame, media, words
from pages.shared.charts import chart
from pages.shared.controls import Controls
from pages.shared.downloads import csv_download
from pages.shared.gallery import Card, Opens, gallery
from pages.shared.seek import seeker
from pages.shared.tagging import tagging

_VIEW = Controls("reliability.trust", LINK)
_SHOWN = 400  # held-out images in the gallery
_SIGNS = dict(zip(views.LIGHTS, ("●", "◐", "○"), strict=True))
_WORDS = dict(zip(views.LIGHTS, ("Trust", "With care", "Do not trust"), strict=True))
_COLOURS = dict(zip(views.LIGHTS, ("green", "orange", "red"), strict=True))
_RULE = (
    "Judged by the most influential training images of each. <b>Trust</b>: Î ranks them as I does (Spearman’s ρ at least "
    f"{views.THRESHOLDS.green_rank:g}), and half of them are at most {views.THRESHOLDS.green_rate:.0%} off. <b>Do not trust</b>: ρ is "
    f"below {views.THRESHOLDS.red_rank:g}, or half of them are more than {views.THRESHOLDS.red_rate:.0%} off. <b>With care</b>: in "
    "between. The thresholds are ours."
)


def show_trust(look: Look, view: ReliabilityView) -> int:
    """The gallery with its filter, and the chosen image's evidence; which image that is."""
    st.header("Which predictions can it explain?", anchor=False)
    st.html(f'<p class="atlas-quiet">{words.spoken(_RULE)}</p>')
    now = views.summary(look)
    shown = views.lit(view, now)
    target = views.target_of(view, now, shown)
    left, right = st.columns(2, gap="large")
    with left:
        _gallery(look.result, now, [int(i) for i in shown[:_SHOWN]], target)
    with right:
        _evidence(look, now, target)
    return target


def _gallery(result: InfluenceResult, now: views.Summary, shown: list[int], target: int) -> None:
    _VIEW.seed(result.key, "light")
    counts = dict(zip(views.LIGHTS, views.counts(now), strict=True))
    titles = {"all": f"All · {sum(counts.values()):,}"} | {
        light: f":{_COLOURS[light]}[{_SIGNS[light]}] {_WORDS[light]} · {counts[light]:,}" for light in views.LIGHTS
    }
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _VIEW.control(
            "light",
            st.segmented_control,
            "Held-out images",
            options=list(titles),
            format_func=titles.__getitem__,
            required=True,
            label_visibility="collapsed",
            **_VIEW.fields.then("light", _filtered),
        )
        table = partial(tables.light_table, result, now)
        csv_download("All (CSV)", lambda: with_texts(table(), result.test_pack, workspace()), file="lights", key="lights_csv")
    st.html(
        words.spoken(
            '<p class="atlas-quiet">held-out images · below each: median error rate, and ρ, of its most influential images · click one</p>'
        )
    )
    gallery(
        [_card(result, now, i) for i in shown],
        base=media.thumbnail_base(result.test_pack),
        key="lights_gallery",
        revision=LINK.current().revision,
        current=target,
        opens=Opens(lambda image: LINK.look(target=image), "choose"),
        tags=tagging(result.spec.dataset, result.test_pack),
        undo=LINK.undo,
        seek=seeker(result.test_ids, lambda image: LINK.look(target=image)),
        empty="No held-out image is so at this λ.",
        height=430,
        cell=100,
    )


def _filtered() -> None:
    LINK.look(light=_VIEW["light"], target=None)


def _card(result: InfluenceResult, now: views.Summary, image: int) -> Card:
    trust = now.trust
    light = views.LIGHTS[trust.light[image]]
    name, rate, rank = result.class_names[result.test_labels[image]], float(trust.rate[image]), float(trust.rank[image])
    said = _WORDS[light]
    which = f"Held-out {media.noun(result.test_pack)} {image}, {result.test_ids[image]}"
    title = f"{which}: {name}. {said}: median error rate {words.percent(rate)}, ρ = {words.fixed(rank, 3)}."
    sign = f"{_SIGNS[light]} {said.split()[-1].lower()}"
    return Card(image, name, sign, words.percent(rate), words.signed(rank), light == "red", title)


def _evidence(look: Look, now: views.Summary, target: int) -> None:
    result, trust = look.result, now.trust
    light = views.LIGHTS[trust.light[target]]
    found = views.evidence(look, target)
    label = result.class_names[result.test_labels[target]]
    picture, name = media.picture(result.test_pack, target, label), html.escape(label)
    right_order = f"IHVP ranks its {trust.top} most influential training images with ρ = <b>{words.signed(float(trust.rank[target]))}</b>"
    right_size = f"half of them are more than <b>{words.percent(float(trust.rate[target]))}</b> off"
    judged = words.spoken(f"{right_order}; {right_size}.")
    st.html(
        f'<div class="atlas-pair">{picture}<p class="atlas-fact">Held-out {media.noun(result.test_pack)} {target}, {name}: '
        f"<b>{_SIGNS[light]} {_WORDS[light]}</b>. {judged}</p></div>"
    )
    if st.button("All its influences", icon=":material/north_east:", type="tertiary", key="open_influence"):
        links.go_to("influence", result.spec, InfluenceView(ridge=look.ridge, target=target))
    chart(
        "Estimated against true influence",
        figures.evidence_figure(found, result.labels, result.class_names, frame.mode()),
        key="judged",
        table=lambda: tables.evidence_table(result, found),
        note="Its most influential training images. On the line IHVP is right; nearer to 0 than the line, it understates.",
    )
