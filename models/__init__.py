"""Models: from a training set to calibrated scores that are compared with honest baselines.

In: training and scoring sets of `touchline.features`. Out: a tracked, calibrated scorer and its explanations.
Nothing is exported yet.
"""
