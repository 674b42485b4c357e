package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// ConstraintOperator compares two values.
// +kubebuilder:validation:Enum=LessThan;LessThanOrEqual;GreaterThan;GreaterThanOrEqual;Equal;NotEqual
type ConstraintOperator string

// The operators of constraints.
const (
	ConstraintLessThan           ConstraintOperator = "LessThan"
	ConstraintLessThanOrEqual    ConstraintOperator = "LessThanOrEqual"
	ConstraintGreaterThan        ConstraintOperator = "GreaterThan"
	ConstraintGreaterThanOrEqual ConstraintOperator = "GreaterThanOrEqual"
	ConstraintEqual              ConstraintOperator = "Equal"
	ConstraintNotEqual           ConstraintOperator = "NotEqual"
)

// Constraint is what holds in every row between a sampled column and a value, or another column: exactly one of value and otherColumn is
// set. Where one of the two is null, it holds. docs/constraints.md says how values are drawn then.
//
// +kubebuilder:validation:XValidation:rule="!has(self.otherColumn) || self.otherColumn != self.column",fieldPath=".otherColumn",message="must be another column"
type Constraint struct {
	// column is a column with a sampler, of numbers, texts or moments.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +required
	Column string `json:"column,omitempty"`

	// operator says how the column compares with the value or the other column. Texts are in the order of their characters' code points.
	// +required
	Operator ConstraintOperator `json:"operator,omitempty"`

	// value is a number, a text, or a moment such as "2026-01-31" or "2026-01-31T12:00:00Z", as the column has them.
	// +optional
	Value *apiextensionsv1.JSON `json:"value,omitempty"`

	// otherColumn is the column with which it is compared: a sampled one, with which it is drawn together then, or any other one.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +optional
	OtherColumn string `json:"otherColumn,omitempty"`
}
