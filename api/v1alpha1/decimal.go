package v1alpha1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// Decimal is a number with an optional fraction that keeps the text it was written with, so that a spec survives every
// round trip unchanged. It is a plain number in YAML and JSON. The zero value is the number 0.
//
// +kubebuilder:validation:Type=number
type Decimal struct {
	number json.Number
}

// NewDecimal returns the decimal for a number's text, such as "0.7". It fails when the text is not a finite JSON number.
func NewDecimal(text string) (Decimal, error) {
	var decimal Decimal
	if err := decimal.UnmarshalJSON([]byte(text)); err != nil {
		return Decimal{}, err
	}
	return decimal, nil
}

// Float64 returns the nearest float64.
func (d Decimal) Float64() float64 {
	if d.number == "" {
		return 0
	}
	// UnmarshalJSON admits only text that parses as a finite float64.
	value, _ := d.number.Float64()
	return value
}

// String returns the number as it was written.
func (d Decimal) String() string {
	if d.number == "" {
		return "0"
	}
	return d.number.String()
}

// MarshalJSON writes the number as it was read.
func (d Decimal) MarshalJSON() ([]byte, error) {
	return []byte(d.String()), nil
}

// UnmarshalJSON accepts any finite JSON number.
func (d *Decimal) UnmarshalJSON(data []byte) error {
	data = bytes.TrimSpace(data)
	if !json.Valid(data) || len(data) == 0 || (data[0] != '-' && (data[0] < '0' || data[0] > '9')) {
		return fmt.Errorf("%q is not a number", data)
	}
	if _, err := strconv.ParseFloat(string(data), 64); err != nil {
		return fmt.Errorf("%q is outside the range of a 64-bit number", data)
	}
	d.number = json.Number(data)
	return nil
}
