package v1alpha1

import "testing"

func decimal(t *testing.T, text string) *Decimal {
	t.Helper()
	number, err := NewDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return &number
}

func TestCost(t *testing.T) {
	full := &ModelPrice{
		InputPerMillionTokens: decimal(t, "2.5"), CachedInputPerMillionTokens: decimal(t, "0.25"),
		OutputPerMillionTokens: decimal(t, "1e1"), PerImage: decimal(t, "0.04"),
	}
	for name, test := range map[string]struct {
		price  *ModelPrice
		tokens TokenCounts
		images int64
		want   string
	}{
		"no price":                    {nil, TokenCounts{Input: 1 << 40}, 3, "0.00"},
		"nothing used":                {full, TokenCounts{}, 0, "0.00"},
		"input and output":            {full, TokenCounts{Input: 1_000_000, Output: 500_000}, 0, "7.50"},
		"cached input is cheaper":     {full, TokenCounts{Input: 1_000_000, CachedInput: 400_000}, 0, "1.60"},
		"without a price of its own":  {&ModelPrice{InputPerMillionTokens: decimal(t, "2")}, TokenCounts{Input: 1_000_000, CachedInput: 400_000}, 0, "2.00"},
		"reasoning is part of output": {full, TokenCounts{Output: 100, Reasoning: 60}, 0, "0.001"},
		"images":                      {full, TokenCounts{}, 3, "0.12"},
		"a tiny amount":               {full, TokenCounts{Input: 1}, 0, "0.000003"},
		"more cached than input":      {full, TokenCounts{Input: 10, CachedInput: 40}, 0, "0.000003"},
	} {
		if got := test.price.Cost(test.tokens, test.images).String(); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

// Ten million cells of a third of a cent are not off by a rounding.
func TestCostsAddUpExactly(t *testing.T) {
	price := &ModelPrice{InputPerMillionTokens: decimal(t, "0.1")}
	var sum Cost
	for range 1000 {
		sum = sum.Plus(price.Cost(TokenCounts{Input: 3333}, 0))
	}
	if whole := price.Cost(TokenCounts{Input: 3_333_000}, 0); sum.Exceeds(whole) || whole.Exceeds(sum) {
		t.Errorf("got %s, want %s", sum, whole)
	}
}
