"""Kernel regression with the network's own outputs as prior mean (SCIENCE.md §3)."""

from ntkcore.regression.predict import Prediction, fit_predict, fit_predict_blocks

__all__ = ["Prediction", "fit_predict", "fit_predict_blocks"]
