package sim

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
