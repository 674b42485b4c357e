package llmsim

import "math"

// The streams keep the draws of one request independent of each other.
const (
	latencyStream   = 0x6c6174656e6379
	faultStream     = 0x6661756c74
	textStream      = 0x74657874
	embeddingStream = 0x656d626564
	reasoningStream = 0x726561736f6e
	pictureStream   = 0x706963
)

// random is SplitMix64: a few instructions a draw, and no allocation.
type random struct{ state uint64 }

func newRandom(seed uint64) *random { return &random{state: seed} }

func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number in [0, n); n must be positive.
func (r *random) below(n int) int { return int(r.next()>>1) % n }

// float returns a number in [0, 1).
func (r *random) float() float64 { return float64(r.next()>>11) / (1 << 53) }

// normal returns a number of the standard normal distribution, by the transform of Box and Muller; 1-float is never zero.
func (r *random) normal() float64 {
	return math.Sqrt(-2*math.Log(1-r.float())) * math.Cos(2*math.Pi*r.float())
}

// gamma returns a number of the gamma distribution with a shape of at least 1, by the method of Marsaglia and Tsang.
func (r *random) gamma(shape float64) float64 {
	d := shape - 1.0/3
	for {
		x := r.normal()
		v := 1 + x/math.Sqrt(9*d)
		v = v * v * v
		if v > 0 && math.Log(1-r.float()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}
