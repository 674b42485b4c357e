"""Writes scipy.json: what SciPy says of the distributions that are drawn here, by which TestDrawsFollowTheirDistributions checks the draws.

    python -m venv venv && venv/bin/pip install scipy && venv/bin/python scipy_values.py > scipy.json
"""

import json
import math

from scipy import stats

CASES = [
    ("{type: Bernoulli, bernoulli: {probability: %s}}" % p, stats.bernoulli(p)) for p in (0.03, 0.5, 0.9)
] + [
    ("{type: Binomial, binomial: {trials: %s, probability: %s}}" % (n, p), stats.binom(n, p))
    for n, p in ((1, 0.25), (20, 0.1), (100, 0.02), (40, 0.5), (60, 0.9), (1000, 0.3), (200000, 0.001), (1000000, 0.7))
] + [
    ("{type: Poisson, poisson: {mean: %s}}" % mean, stats.poisson(mean)) for mean in (0.2, 1, 7.5, 10, 42, 1000, 250000)
]


NAMED = [
    ("norm", {}), ("uniform", {}), ("expon", {}), ("cauchy", {}), ("laplace", {}), ("logistic", {}), ("gumbel_r", {}), ("gumbel_l", {}),
    ("rayleigh", {}), ("arcsine", {}), ("halfnorm", {}), ("halfcauchy", {}), ("halflogistic", {}), ("maxwell", {}),
    ("weibull_min", {"c": 0.7}), ("weibull_min", {"c": 3}), ("weibull_max", {"c": 2}), ("pareto", {"b": 2.6}), ("lomax", {"c": 3}),
    ("powerlaw", {"a": 0.4}), ("powerlaw", {"a": 5}), ("fisk", {"c": 3}), ("gompertz", {"c": 0.5}), ("genpareto", {"c": 0}),
    ("genpareto", {"c": 0.2}), ("genpareto", {"c": -0.5}), ("genextreme", {"c": 0}), ("genextreme", {"c": 0.3}),
    ("genextreme", {"c": -0.1}), ("lognorm", {"s": 0.5}), ("lognorm", {"s": 2}), ("triang", {"c": 0}), ("triang", {"c": 0.3}),
    ("triang", {"c": 1}), ("skewnorm", {"a": 4}), ("skewnorm", {"a": -1}), ("exponnorm", {"K": 1.5}), ("invgauss", {"mu": 0.3}),
    ("invgauss", {"mu": 3}), ("loguniform", {"a": 0.01, "b": 100}), ("truncnorm", {"a": -1, "b": 2}), ("truncnorm", {"a": 5, "b": 9}),
    ("truncnorm", {"a": -40, "b": -38}), ("gamma", {"a": 0.3}), ("gamma", {"a": 1}), ("gamma", {"a": 17.5}), ("erlang", {"a": 3}),
    ("invgamma", {"a": 4.5}), ("chi2", {"df": 1}), ("chi2", {"df": 9}), ("t", {"df": 2.5}), ("t", {"df": 30}),
    ("f", {"dfn": 5, "dfd": 12}), ("beta", {"a": 0.5, "b": 0.5}), ("beta", {"a": 2, "b": 7}),
    ("randint", {"low": -3, "high": 9}), ("bernoulli", {"p": 0.4}), ("binom", {"n": 30, "p": 0.6}), ("poisson", {"mu": 6}),
    ("geom", {"p": 0.05}), ("geom", {"p": 1}), ("nbinom", {"n": 4.5, "p": 0.2}), ("planck", {"lambda_": 0.3}), ("zipf", {"a": 2.5}),
]
CASES += [
    ("{type: Distribution, distribution: {name: %s, parameters: %s}}" % (name, json.dumps(shapes)), getattr(stats, name)(**shapes))
    for name, shapes in NAMED
] + [
    ("{type: Distribution, distribution: {name: gamma, parameters: {a: 2}, loc: -3, scale: 0.5}}", stats.gamma(2, loc=-3, scale=0.5)),
    ("{type: Distribution, distribution: {name: poisson, parameters: {mu: 2}, loc: 10}}", stats.poisson(2, loc=10)),
]


def finite(number):
    return float(number) if math.isfinite(number) else None


def described(text, of):
    # Bins of about a twentieth each, as far as counts allow: their upper ends, which are included, and their shares.
    ends = sorted({float(of.ppf(share / 20)) for share in range(1, 20)})
    shares, before = [], 0.0
    for end in ends:
        below = float(of.cdf(end))
        shares.append(below - before)
        before = below
    shares.append(1 - before)
    mean, variance, _, kurtosis = (finite(moment) for moment in of.stats(moments="mvsk"))
    return {"sampler": text, "mean": mean, "variance": variance, "kurtosis": kurtosis, "ends": ends, "shares": shares}


print(json.dumps([described(*case) for case in CASES], indent=1))
