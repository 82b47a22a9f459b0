"""How true, steady and exact reasons are, on companies whose truth is known: `python -m benchmarks.explanations`.

In: nothing but a wish (how many leads, how many companies). Out: one table of figures beside their aims. Reasons are
held against themselves (they add up; a score falls without the touches they name), against another training (the same
families lead), and against exact Shapley values of the Bayes-optimal chances by group of evidence.
"""
