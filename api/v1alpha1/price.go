package v1alpha1

import (
	"math/big"
	"strings"
)

// costDigits is to how many digits after the point a cost is shown.
const costDigits = 6

// Cost is an exact amount in the currency of the prices of models. The zero value is nothing.
//
// +kubebuilder:object:generate=false
type Cost struct{ amount *big.Rat }

// NewCost returns the amount that a number stands for.
func NewCost(number *Decimal) Cost {
	if number == nil {
		return Cost{}
	}
	// A decimal is always a finite number.
	amount, _ := new(big.Rat).SetString(number.String())
	return Cost{amount}
}

func (c Cost) rat() *big.Rat {
	if c.amount == nil {
		return new(big.Rat)
	}
	return c.amount
}

// Plus returns the sum of two amounts.
func (c Cost) Plus(other Cost) Cost { return Cost{new(big.Rat).Add(c.rat(), other.rat())} }

// Times returns the amount multiplied by numerator / denominator.
func (c Cost) Times(numerator, denominator int64) Cost {
	return Cost{new(big.Rat).Mul(c.rat(), big.NewRat(numerator, denominator))}
}

// Exceeds says whether the amount is larger than another one.
func (c Cost) Exceeds(other Cost) bool { return c.rat().Cmp(other.rat()) > 0 }

// IsZero says whether the amount is nothing.
func (c Cost) IsZero() bool { return c.rat().Sign() == 0 }

// String returns the amount with at least two and at most six digits after the point, such as 12.50 or 0.000315.
func (c Cost) String() string {
	text := c.rat().FloatString(costDigits)
	return text[:len(text)-costDigits+2] + strings.TrimRight(text[len(text)-costDigits+2:], "0")
}

const million = 1_000_000

// Cost is what tokens and images cost at a price; nothing where there is no price.
func (p *ModelPrice) Cost(tokens TokenCounts, images int64) Cost {
	if p == nil {
		return Cost{}
	}
	cached := p.CachedInputPerMillionTokens
	if cached == nil {
		cached = p.InputPerMillionTokens
	}
	total := NewCost(p.InputPerMillionTokens).Times(max(0, tokens.Input-tokens.CachedInput), million)
	total = total.Plus(NewCost(cached).Times(min(tokens.CachedInput, tokens.Input), million))
	total = total.Plus(NewCost(p.OutputPerMillionTokens).Times(tokens.Output, million))
	return total.Plus(NewCost(p.PerImage).Times(images, 1))
}

// HasPrices says whether a model of the spec has a price.
func (s *DatasetGenerationSpec) HasPrices() bool {
	for i := range s.Models {
		if s.Models[i].Price != nil {
			return true
		}
	}
	return false
}

// PriceOf is the price of the model with an alias; nil where it has none.
func (s *DatasetGenerationSpec) PriceOf(alias string) *ModelPrice {
	if model := s.Model(alias); model != nil {
		return model.Price
	}
	return nil
}

// PriceOfColumn returns the price of a column's model, or nil.
func (s *DatasetGenerationSpec) PriceOfColumn(name string) *ModelPrice {
	for i := range s.Columns {
		if alias := s.Columns[i].ModelAlias(); alias != nil && s.Columns[i].Name == name {
			return s.PriceOf(*alias)
		}
	}
	return nil
}
