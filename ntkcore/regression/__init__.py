"""Kernel regression with the network's own outputs as prior mean: fitted, followed through training, and without each sample (§3, §5)."""

from ntkcore.regression.addition import Added
from ntkcore.regression.descent import Descent, Flow, Steps
from ntkcore.regression.predict import Prediction, fit_predict, fit_predict_blocks
from ntkcore.regression.regression import KernelRegression

__all__ = ["Added", "Descent", "Flow", "KernelRegression", "Prediction", "Steps", "fit_predict", "fit_predict_blocks"]
