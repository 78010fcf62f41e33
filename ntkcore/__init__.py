"""The numerical core of NTK Atlas: kernels, data, models, training and analyses, without a screen."""
