"""Touchline: lead scores that sales can act on and understand.

The rooms, in the order values travel through them:

- `touchline.playbook`: the agreement of marketing and sales, one checked file.
- `touchline.features`: from raw tables to point-in-time training sets.
- `touchline.models`: estimator, calibration, evaluation, explanations.
- `touchline.serve`: what sales sees.
- `touchline.pipelines`: the jobs and the command line.

Each room imports only rooms above it.
"""

__version__ = "0.1.0.dev0"
