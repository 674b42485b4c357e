package sampler

import (
	"fmt"
	"math"

	"seedloom.dev/seedloom/engine/random"
)

// byName are the distributions by their names in scipy.stats, with its parameters. Where a quantile function is at hand, it is what draws.
var byName = map[string]distribution{
	"norm":    {draws: fixed((*random.Stream).Normal)},
	"uniform": {draws: fixed((*random.Stream).Float64)},
	"expon":   {draws: fixed(exponential)},
	"cauchy":  {draws: quantile0(func(u float64) float64 { return math.Tan(math.Pi * (u - 0.5)) })},
	"laplace": {draws: quantile0(func(u float64) float64 {
		if u < 0.5 {
			return math.Log(2 * u)
		}
		return -math.Log(2 * (1 - u))
	})},
	"logistic":     {draws: quantile0(func(u float64) float64 { return math.Log(u / (1 - u)) })},
	"gumbel_r":     {draws: quantile0(func(u float64) float64 { return -math.Log(-math.Log(u)) })},
	"gumbel_l":     {draws: quantile0(func(u float64) float64 { return math.Log(-math.Log(u)) })},
	"rayleigh":     {draws: quantile0(func(u float64) float64 { return math.Sqrt(-2 * math.Log(u)) })},
	"arcsine":      {draws: quantile0(func(u float64) float64 { return math.Pow(math.Sin(math.Pi*u/2), 2) })},
	"halfnorm":     {draws: fixed(func(stream *random.Stream) float64 { return math.Abs(stream.Normal()) })},
	"halfcauchy":   {draws: quantile0(func(u float64) float64 { return math.Tan(math.Pi * u / 2) })},
	"halflogistic": {draws: quantile0(func(u float64) float64 { return 2 * math.Atanh(u) })},
	"maxwell": {draws: fixed(func(stream *random.Stream) float64 {
		x, y, z := stream.Normal(), stream.Normal(), stream.Normal()
		return math.Sqrt(float64(x*x) + float64(y*y) + float64(z*z))
	})},
	"weibull_min": {shapes: []shape{{"c", positive}}, draws: quantile1(func(u, c float64) float64 { return math.Pow(-math.Log(u), 1/c) })},
	"weibull_max": {shapes: []shape{{"c", positive}}, draws: quantile1(func(u, c float64) float64 { return -math.Pow(-math.Log(u), 1/c) })},
	"pareto":      {shapes: []shape{{"b", positive}}, draws: quantile1(func(u, b float64) float64 { return math.Pow(u, -1/b) })},
	"lomax":       {shapes: []shape{{"c", positive}}, draws: quantile1(func(u, c float64) float64 { return math.Expm1(-math.Log(u) / c) })},
	"powerlaw":    {shapes: []shape{{"a", positive}}, draws: quantile1(func(u, a float64) float64 { return math.Pow(u, 1/a) })},
	"fisk":        {shapes: []shape{{"c", positive}}, draws: quantile1(func(u, c float64) float64 { return math.Pow(u/(1-u), 1/c) })},
	"gompertz":    {shapes: []shape{{"c", positive}}, draws: quantile1(func(u, c float64) float64 { return math.Log1p(-math.Log(u) / c) })},
	"genpareto": {shapes: []shape{{"c", finite}}, draws: quantile1(func(u, c float64) float64 {
		if c == 0 {
			return -math.Log(u)
		}
		return math.Expm1(-c*math.Log(u)) / c
	})},
	"genextreme": {shapes: []shape{{"c", finite}}, draws: quantile1(func(u, c float64) float64 {
		if c == 0 {
			return -math.Log(-math.Log(u))
		}
		return -math.Expm1(c*math.Log(-math.Log(u))) / c
	})},
	"lognorm": {shapes: []shape{{"s", positive}}, draws: func(of []float64) func(*random.Stream) float64 {
		return func(stream *random.Stream) float64 { return math.Exp(of[0] * stream.Normal()) }
	}},
	"triang":   {shapes: []shape{{"c", unit}}, draws: quantile1(triangular)},
	"skewnorm": {shapes: []shape{{"a", finite}}, draws: skewNormal},
	"exponnorm": {shapes: []shape{{"K", positive}}, draws: func(of []float64) func(*random.Stream) float64 {
		return func(stream *random.Stream) float64 { return stream.Normal() + float64(of[0]*exponential(stream)) }
	}},
	"invgauss": {shapes: []shape{{"mu", positive}}, draws: inverseGaussian},
	"loguniform": {shapes: []shape{{"a", positive}, {"b", positive}}, check: ascending("a", "b"),
		draws: func(of []float64) func(*random.Stream) float64 {
			width := math.Log(of[1] / of[0])
			return func(stream *random.Stream) float64 { return of[0] * math.Exp(width*stream.Float64()) }
		}},
	"truncnorm": {shapes: []shape{{"a", finite}, {"b", finite}}, check: ascending("a", "b"), draws: truncatedNormal},
	"gamma":     {shapes: []shape{{"a", positive}}, draws: func(of []float64) func(*random.Stream) float64 { return newGamma(of[0]) }},
	"erlang":    {shapes: []shape{{"a", positive}}, draws: func(of []float64) func(*random.Stream) float64 { return newGamma(of[0]) }},
	"invgamma": {shapes: []shape{{"a", positive}}, draws: func(of []float64) func(*random.Stream) float64 {
		gamma := newGamma(of[0])
		return func(stream *random.Stream) float64 { return 1 / gamma(stream) }
	}},
	"chi2": {shapes: []shape{{"df", positive}}, draws: func(of []float64) func(*random.Stream) float64 { return chiSquare(of[0]) }},
	"t": {shapes: []shape{{"df", positive}}, draws: func(of []float64) func(*random.Stream) float64 {
		square := chiSquare(of[0])
		return func(stream *random.Stream) float64 { return stream.Normal() / math.Sqrt(square(stream)/of[0]) }
	}},
	"f": {shapes: []shape{{"dfn", positive}, {"dfd", positive}}, draws: func(of []float64) func(*random.Stream) float64 {
		upper, lower := chiSquare(of[0]), chiSquare(of[1])
		return func(stream *random.Stream) float64 { return upper(stream) / of[0] / (lower(stream) / of[1]) }
	}},
	"beta": {shapes: []shape{{"a", positive}, {"b", positive}}, draws: func(of []float64) func(*random.Stream) float64 {
		first, second := newGamma(of[0]), newGamma(of[1])
		return func(stream *random.Stream) float64 {
			a := first(stream)
			if b := second(stream); a+b > 0 {
				return a / (a + b)
			}
			return 0
		}
	}},

	"randint": {counts: true, shapes: []shape{{"low", whole}, {"high", whole}}, check: ascending("low", "high"),
		draws: func(of []float64) func(*random.Stream) float64 {
			return func(stream *random.Stream) float64 { return of[0] + float64(stream.Below(uint64(of[1]-of[0]))) }
		}},
	"bernoulli": {counts: true, shapes: []shape{{"p", unit}}, draws: func(of []float64) func(*random.Stream) float64 {
		return asFloat(newBinomial(1, of[0]))
	}},
	"binom": {counts: true, shapes: []shape{{"n", count}, {"p", unit}}, draws: func(of []float64) func(*random.Stream) float64 {
		return asFloat(newBinomial(int64(of[0]), of[1]))
	}},
	"poisson": {counts: true, shapes: []shape{{"mu", countMean}}, draws: func(of []float64) func(*random.Stream) float64 {
		return asFloat(newPoisson(of[0]))
	}},
	"geom": {counts: true, shapes: []shape{{"p", chance}}, draws: func(of []float64) func(*random.Stream) float64 {
		failing := math.Log1p(-of[0])
		return func(stream *random.Stream) float64 { return max(1, math.Ceil(math.Log1p(-stream.Float64())/failing)) }
	}},
	"nbinom": {counts: true, shapes: []shape{{"n", positive}, {"p", chance}}, check: meanOfNbinom,
		draws: func(of []float64) func(*random.Stream) float64 {
			gamma, odds := newGamma(of[0]), (1-of[1])/of[1]
			return func(stream *random.Stream) float64 { return float64(newPoisson(gamma(stream) * odds)(stream)) }
		}},
	"planck": {counts: true, shapes: []shape{{"lambda_", positive}}, draws: func(of []float64) func(*random.Stream) float64 {
		return func(stream *random.Stream) float64 { return math.Floor(exponential(stream) / of[0]) }
	}},
	"zipf": {counts: true, shapes: []shape{{"a", aboveOne}}, draws: zipf},
}

// fixed draws from a distribution without parameters.
func fixed(draw func(*random.Stream) float64) func([]float64) func(*random.Stream) float64 {
	return func([]float64) func(*random.Stream) float64 { return draw }
}

// quantile0 draws by a quantile function, or by that of the other tail, which is as good.
func quantile0(of func(u float64) float64) func([]float64) func(*random.Stream) float64 {
	return fixed(func(stream *random.Stream) float64 { return of(open(stream)) })
}

func quantile1(of func(u, shape float64) float64) func([]float64) func(*random.Stream) float64 {
	return func(shapes []float64) func(*random.Stream) float64 {
		return func(stream *random.Stream) float64 { return of(open(stream), shapes[0]) }
	}
}

// open is a number between 0 and 1, neither of which it is.
func open(stream *random.Stream) float64 { return stream.Float64() + 0x1p-54 }

func exponential(stream *random.Stream) float64 { return -math.Log(open(stream)) }

func asFloat(draw func(*random.Stream) int64) func(*random.Stream) float64 {
	return func(stream *random.Stream) float64 { return float64(draw(stream)) }
}

// ascending says of two parameters that the second must be above the first.
func ascending(first, second string) func(of []float64) string {
	return func(of []float64) string {
		if of[0] < of[1] {
			return ""
		}
		return first + " must be below " + second
	}
}

func meanOfNbinom(of []float64) string {
	if mean := of[0] * (1 - of[1]) / of[1]; mean > maxCount/10 {
		return fmt.Sprintf("the mean n·(1-p)/p must be at most %d, but is %.6g", maxCount/10, mean)
	}
	return ""
}

func triangular(u, mode float64) float64 {
	if u < mode {
		return math.Sqrt(u * mode)
	}
	return 1 - math.Sqrt((1-u)*(1-mode))
}

// skewNormal is by Azzalini's representation: of two correlated normal numbers, the sign of the one turns the other.
func skewNormal(of []float64) func(*random.Stream) float64 {
	delta := of[0] / math.Sqrt(1+of[0]*of[0])
	rest := math.Sqrt(1 - delta*delta)
	return func(stream *random.Stream) float64 {
		first, second := stream.Normal(), stream.Normal()
		value := float64(delta*first) + float64(rest*second)
		if first < 0 {
			return -value
		}
		return value
	}
}

// inverseGaussian is by Michael, Schucany and Haas, "Generating Random Variates Using Transformations with Multiple Roots", The American
// Statistician 30 (1976), for the shape 1.
func inverseGaussian(of []float64) func(*random.Stream) float64 {
	mean := of[0]
	return func(stream *random.Stream) float64 {
		normal := stream.Normal()
		y := mean * normal * normal
		x := mean * (1 + float64(y/2) - math.Sqrt(float64(y*(4+y)))/2)
		if stream.Float64() <= mean/(mean+x) {
			return x
		}
		return mean * mean / x
	}
}

// truncatedNormal is by the quantile function of the normal distribution, in the tail in which it is exact.
func truncatedNormal(of []float64) func(*random.Stream) float64 {
	low, high, sign := of[0], of[1], 1.0
	if low > 0 {
		low, high, sign = -high, -low, -1
	}
	if high < -farTail {
		return farTailNormal(-high, -low, -sign)
	}
	first, last := normalBelow(low), normalBelow(high)
	return func(stream *random.Stream) float64 {
		p := first + float64((last-first)*open(stream))
		return sign * min(max(-math.Sqrt2*math.Erfcinv(2*p), low), high)
	}
}

// farTail is from where on the quantile function is not exact enough for a part of the tail.
const farTail = 5

// farTailNormal draws from the normal distribution between two numbers far above 0, by rejection from the exponential distribution between
// them, as Robert, "Simulation of truncated normal variables", Statistics and Computing 5 (1995).
func farTailNormal(low, high, sign float64) func(*random.Stream) float64 {
	width := -math.Expm1(-low * (high - low))
	return func(stream *random.Stream) float64 {
		for {
			above := min(-math.Log1p(-width*stream.Float64())/low, high-low)
			if stream.Float64() <= math.Exp(-above*above/2) {
				return sign * (low + above)
			}
		}
	}
}

// normalBelow is the share of the standard normal distribution below a number.
func normalBelow(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

func chiSquare(freedom float64) func(*random.Stream) float64 {
	gamma := newGamma(freedom / 2)
	return func(stream *random.Stream) float64 { return 2 * gamma(stream) }
}

// newGamma is by Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", ACM Transactions on Mathematical Software 26
// (2000).
func newGamma(shape float64) func(*random.Stream) float64 {
	if shape < 1 {
		above := newGamma(shape + 1)
		return func(stream *random.Stream) float64 { return above(stream) * math.Pow(open(stream), 1/shape) }
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	return func(stream *random.Stream) float64 {
		for {
			x := stream.Normal()
			v := 1 + float64(c*x)
			if v <= 0 {
				continue
			}
			v = v * v * v
			if math.Log(open(stream)) < float64(x*x/2)+d-float64(d*v)+float64(d*math.Log(v)) {
				return d * v
			}
		}
	}
}

// zipf is by the rejection of Devroye, "Non-Uniform Random Variate Generation" (1986), chapter X.6. Numbers that an int can't hold are
// drawn again.
func zipf(of []float64) func(*random.Stream) float64 {
	less := of[0] - 1
	b := math.Exp2(less)
	return func(stream *random.Stream) float64 {
		for {
			x := math.Floor(math.Pow(open(stream), -1/less))
			if x >= 1<<63 {
				continue
			}
			t := math.Pow(1+1/x, less)
			if stream.Float64()*x*(t-1)/(b-1) <= t/b {
				return x
			}
		}
	}
}
