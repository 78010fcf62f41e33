"""The numbers behind the charts and galleries of the reliability page, for download, the notebook and the command line."""

import numpy as np
import pandas as pd

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.reliability.views import Evidence, Summary, Sweep
from ntkcore.influence.clusters import ClusterErrors
from ntkcore.influence.trust import LIGHTS


def sweep_table(found: Sweep) -> pd.DataFrame:
    """One row per λ: mean and median error rate, Theorem 3's bound, and the share of pairs that satisfy its inequality."""
    return pd.DataFrame(
        {
            "ridge": found.ridges,
            "mean": found.mean,
            "median": found.median,
            "lower_bound": found.bound,
            "satisfied": found.held / found.pairs,
            "held_out_images": found.tests,
        }
    )


def image_table(result: InfluenceResult, found: Summary, log_density: np.ndarray) -> pd.DataFrame:
    """One row per training image: its error rate and leverage, and its log density where it was estimated; the largest rate first."""
    density = np.full(len(result.labels), np.nan)
    density[: len(log_density)] = log_density
    rows = pd.DataFrame(
        {
            "image": np.arange(len(density)),
            "id": result.ids,
            "label": [result.class_names[label] for label in result.labels],
            "log_density": density,
            "mean_rate": found.rates["mean"],
            "median_rate": found.rates["median"],
            "leverage": found.leverage,
        }
    )
    return rows.sort_values("mean_rate", ascending=False, kind="stable")


def light_table(result: InfluenceResult, found: Summary) -> pd.DataFrame:
    """One row per held-out image: ρ and median error rate of its most influential training images, and its light."""
    return pd.DataFrame(
        {
            "image": np.arange(len(result.test_labels)),
            "id": result.test_ids,
            "label": [result.class_names[label] for label in result.test_labels],
            "light": [LIGHTS[light] for light in found.trust.light],
            "spearman": found.trust.rank,
            "median_rate": found.trust.rate,
        }
    )


def evidence_table(result: InfluenceResult, found: Evidence) -> pd.DataFrame:
    """One row per influential training image of one held-out image."""
    return pd.DataFrame(
        {
            "image": found.images,
            "label": [result.class_names[label] for label in result.labels[found.images]],
            "influence": found.exact,
            "ihvp": found.estimate,
            "rate": found.rate,
        }
    )


def cluster_table(found: ClusterErrors) -> pd.DataFrame:
    """One row per simulated cluster."""
    return pd.DataFrame(
        {
            "label": found.labels,
            "size": found.sizes,
            "mean_upper_bound": found.upper,
            "mean_error": found.actual,
            "upper_bound_over_influence": found.rate_upper,
            "error_over_influence": found.rate,
        }
    )
