"""Writes scipy.json: what SciPy says of the distributions that are drawn here, by which TestCountsFollowTheirDistributions checks the draws.

    python -m venv venv && venv/bin/pip install scipy && venv/bin/python scipy_values.py > scipy.json
"""

import json

from scipy import stats

CASES = [
    ("{type: Bernoulli, bernoulli: {probability: %s}}" % p, stats.bernoulli(p)) for p in (0.03, 0.5, 0.9)
] + [
    ("{type: Binomial, binomial: {trials: %s, probability: %s}}" % (n, p), stats.binom(n, p))
    for n, p in ((1, 0.25), (20, 0.1), (100, 0.02), (40, 0.5), (60, 0.9), (1000, 0.3), (200000, 0.001), (1000000, 0.7))
] + [
    ("{type: Poisson, poisson: {mean: %s}}" % mean, stats.poisson(mean)) for mean in (0.2, 1, 7.5, 10, 42, 1000, 250000)
]


def described(text, of):
    # Bins of about a twentieth each, as far as the counts allow: their upper ends, which are included, and their shares.
    ends = sorted({int(of.ppf(share / 20)) for share in range(1, 20)})
    shares, before = [], 0.0
    for end in ends:
        below = float(of.cdf(end))
        shares.append(below - before)
        before = below
    shares.append(1 - before)
    return {"sampler": text, "mean": float(of.mean()), "variance": float(of.var()), "ends": ends, "shares": shares}


print(json.dumps([described(*case) for case in CASES], indent=1))
