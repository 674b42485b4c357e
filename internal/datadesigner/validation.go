package datadesigner

import (
	"encoding/json"
	"strconv"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// operators are those of constraints.
var operators = map[string]v1alpha1.ConstraintOperator{
	"lt": v1alpha1.ConstraintLessThan, "le": v1alpha1.ConstraintLessThanOrEqual,
	"gt": v1alpha1.ConstraintGreaterThan, "ge": v1alpha1.ConstraintGreaterThanOrEqual,
}

// constraints convert what holds between samplers. Without a type, a right side that looks like a number is one.
func (c *converter) constraints(root *object) {
	for _, from := range root.children("constraints") {
		if from == nil {
			continue
		}
		to := v1alpha1.Constraint{Column: from.text("target_column"), Operator: operators[from.text("operator")]}
		right, kind := from.text("rhs"), from.text("constraint_type")
		_, err := strconv.ParseFloat(right, 64)
		switch {
		case to.Operator == "":
			c.lose(from.at("operator"), "the operator %q is unknown: lt, le, gt and ge are known", from.text("operator"))
			continue
		case kind == "scalar_inequality" || kind == "" && err == nil:
			to.Value = &apiextensionsv1.JSON{Raw: json.RawMessage(numberText(right))}
			if !json.Valid(to.Value.Raw) {
				c.lose(from.at("rhs"), "must be a number, but is %q", right)
				continue
			}
		default:
			to.OtherColumn = right
		}
		from.rest()
		c.spec.Constraints = append(c.spec.Constraints, to)
	}
}

// remote converts a server that judges rows.
func (c *converter) remote(from *object) *v1alpha1.RemoteValidator {
	remote := &v1alpha1.RemoteValidator{
		Endpoint: from.text("endpoint_url"), MaxParallelRequests: from.small("max_parallel_requests"), MaxRetries: from.small("max_retries"),
		Schema: from.raw("output_schema"),
	}
	if seconds := from.decimal("timeout"); seconds != nil {
		whole := int32(max(seconds.Float64(), 1))
		remote.TimeoutSeconds = &whole
	}
	from.decimal("retry_backoff") // waits between tries are the engine's to choose
	return remote
}

// validation converts a column that judges others.
func (c *converter) validation(from *object, to *v1alpha1.Column) bool {
	to.Validation = &v1alpha1.Validation{Targets: from.texts("target_columns")}
	parameters := from.child("validator_params")
	if parameters == nil {
		c.lose(from.path, "validation %q has no validator_params", from.text("name"))
		return false
	}
	parameters.text("validator_type") // stands in the column too
	batch := from.small("batch_size")
	switch kind := from.text("validator_type"); kind {
	case "code":
		language := parameters.text("code_lang")
		switch language {
		case "python", "sql:sqlite", "sql:postgres", "sql:mysql":
			to.Validation.Code = &v1alpha1.CodeValidator{Language: v1alpha1.ValidatedLanguage(language)}
		default:
			c.lose(parameters.at("code_lang"), "there is no parser of %q: the column %q is left out; a server of yours can judge it, as a column "+
				"with validation.remote", language, from.text("name"))
			return false
		}
	case "remote":
		to.Validation.Remote = c.remote(parameters)
		to.Validation.Remote.BatchSize = batch
	default:
		c.lose(from.path, "column %q is judged by the Python function %q, which the configuration only names: write it in Starlark, as a column "+
			"with validation.starlark", from.text("name"), parameters.text("validation_function"))
		return false
	}
	parameters.rest()
	return true
}
