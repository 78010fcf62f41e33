"""A light for each held-out image: trust IHVP here, or not, and why."""

import html

import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.reliability import tables, views
from ntkcore.analyses.workspace import workspace
from ntkcore.figures.reliability import errors as figures
from ntkcore.specs.influence import InfluenceView
from ntkcore.specs.reliability import ReliabilityView
from pages.reliability.choice import LINK
from pages.reliability.words import COLOURS, RULE_WORDS, SIGNS, WORDS
from pages.shared import choice as links
from pages.shared import frame, media, words
from pages.shared.charts import chart
from pages.shared.fields import Fields
from pages.shared.gallery import Card, gallery
from pages.shared.words import percent

_VIEW = Fields("reliability.trust")
_SHOWN = 400  # held-out images in the gallery


def show_trust(result: InfluenceResult, view: ReliabilityView, found: views.Summary, choice: links.Choice) -> None:
    """The gallery with its filter, and the chosen image's evidence."""
    st.header("Which predictions can it explain?", anchor=False)
    st.html(f'<p class="atlas-quiet">{RULE_WORDS}</p>')
    shown = views.lit(view, found)
    target = views.target_of(view, found, shown)
    left, right = st.columns(2, gap="large")
    with left:
        _gallery(result, view, found, [int(i) for i in shown[:_SHOWN]], target, choice)
    with right:
        _evidence(result, view, found, target)


def _gallery(
    result: InfluenceResult, view: ReliabilityView, found: views.Summary, shown: list[int], target: int, choice: links.Choice
) -> None:
    _VIEW.seed((result.key, choice.revision), {"light": view.light})
    counts = dict(zip(views.LIGHTS, views.counts(found), strict=True))
    titles = {"all": f"All · {sum(counts.values()):,}"} | {
        light: f":{COLOURS[light]}[{SIGNS[light]}] {WORDS[light]} · {counts[light]:,}" for light in views.LIGHTS
    }
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            "Held-out images",
            list(titles),
            format_func=titles.__getitem__,
            required=True,
            **_VIEW.default("light"),
            label_visibility="collapsed",
            on_change=_filtered,
        )
        st.download_button(
            "All (CSV)",
            lambda: tables.light_table(result, found).to_csv(index=False),
            "lights.csv",
            "text/csv",
            icon=":material/download:",
            type="tertiary",
            key="lights_csv",
            on_click="ignore",
        )
    st.html('<p class="atlas-quiet">held-out images · below each: median error rate, and ρ, of its most influential images · click one</p>')
    gallery(
        [_card(result, found, i) for i in shown],
        base=media.thumbnail_base(result.test_pack),
        key="lights_gallery",
        revision=choice.revision,
        current=target,
        on_open=_chosen,
        opens="choose",
        empty="No held-out image is so at this λ.",
        height=430,
        cell=100,
    )


def _filtered() -> None:
    LINK.look(light=_VIEW["light"], target=None)


def _chosen() -> None:
    said = st.session_state["lights_gallery"].get("opened")
    if said:
        LINK.look(target=said["id"])


def _card(result: InfluenceResult, found: views.Summary, image: int) -> Card:
    trust = found.trust
    light = views.LIGHTS[trust.light[image]]
    name, rate, rank = result.class_names[result.test_labels[image]], float(trust.rate[image]), float(trust.rank[image])
    title = f"Held-out image {image}, {result.test_ids[image]}: {name}. {WORDS[light]}: median error rate {percent(rate)}, ρ = {rank:.3f}."
    return Card(image, name, f"{SIGNS[light]} {WORDS[light].split()[-1].lower()}", percent(rate), words.signed(rank), light == "red", title)


def _evidence(result: InfluenceResult, view: ReliabilityView, found: views.Summary, target: int) -> None:
    trust = found.trust
    light = views.LIGHTS[trust.light[target]]
    judged = views.judged(result, view.ridge, target, workspace())
    label = result.class_names[result.test_labels[target]]
    picture, name = media.picture(result.test_pack, target, label), html.escape(label)
    right_order = f"IHVP ranks its {trust.top} most influential training images with ρ = <b>{words.signed(float(trust.rank[target]))}</b>"
    right_size = f"half of them are more than <b>{percent(float(trust.rate[target]))}</b> off"
    st.html(
        f'<div class="atlas-pair">{picture}<p class="atlas-fact">Held-out image {target}, {name}: <b>{SIGNS[light]} {WORDS[light]}</b>. '
        f"{right_order}; {right_size}.</p></div>"
    )
    if st.button("All its influences", icon=":material/north_east:", type="tertiary", key="open_influence"):
        there = InfluenceView(ridge=view.ridge, target=target)
        links.go_to("influence", result.spec, there)
    chart(
        "Estimated against true influence",
        figures.judged_figure(judged, result.labels, result.class_names, frame.mode()),
        key="judged",
        table=lambda: tables.judged_table(result, judged),
        note="Its most influential training images. On the line IHVP is right; nearer to 0 than the line, it understates.",
    )
