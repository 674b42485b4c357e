package v1alpha1

// GeoPointSampler draws points on the earth, equally likely anywhere in a circle or a box: a struct of latitude and longitude, in degrees.
//
// +kubebuilder:validation:ExactlyOneOf=circle;box
type GeoPointSampler struct {
	// circle is the area around a point, such as the middle of a city.
	// +optional
	Circle *GeoCircle `json:"circle,omitempty"`

	// box is the area between two latitudes and two longitudes.
	// +optional
	Box *GeoBox `json:"box,omitempty"`

	// decimalPlaces rounds latitude and longitude. Defaults to 6, which is a tenth of a metre.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=15
	// +optional
	DecimalPlaces *int32 `json:"decimalPlaces,omitempty"`
}

// GeoCircle is a circle on the earth.
type GeoCircle struct {
	// latitude is that of the middle, from -90 to 90.
	// +kubebuilder:validation:XValidation:rule="self >= -90.0 && self <= 90.0",message="must be from -90 to 90"
	// +required
	Latitude *Decimal `json:"latitude,omitempty"`

	// longitude is that of the middle, from -180 to 180.
	// +kubebuilder:validation:XValidation:rule="self >= -180.0 && self <= 180.0",message="must be from -180 to 180"
	// +required
	Longitude *Decimal `json:"longitude,omitempty"`

	// radiusKilometers is how far points may be from the middle, above 0 and at most 20000.
	// +kubebuilder:validation:XValidation:rule="self > 0.0 && self <= 20000.0",message="must be above 0 and at most 20000"
	// +required
	RadiusKilometers *Decimal `json:"radiusKilometers,omitempty"`
}

// GeoBox is what lies between two latitudes and two longitudes.
type GeoBox struct {
	// south is the lower latitude, from -90 to 90.
	// +required
	South *Decimal `json:"south,omitempty"`

	// north is the upper latitude, from -90 to 90.
	// +required
	North *Decimal `json:"north,omitempty"`

	// west is the longitude at which the box begins, from -180 to 180.
	// +required
	West *Decimal `json:"west,omitempty"`

	// east is the longitude at which the box ends, from -180 to 180. Where it is below west, the box crosses the line of the date.
	// +required
	East *Decimal `json:"east,omitempty"`
}

// EffectiveDecimalPlaces is how many decimal places latitude and longitude have.
func (g *GeoPointSampler) EffectiveDecimalPlaces() int32 { return valueOr(g.DecimalPlaces, 6) }
