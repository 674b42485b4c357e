package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apimachineryvalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	strictjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/config/crd"
	"seedloom.dev/seedloom/engine/plan"
)

// definition is the resource's definition, as an API server works with it.
type definition struct {
	structural *schema.Structural
	validator  validation.SchemaValidator
	// rules are those in CEL. They are compiled when they are needed first, which takes longer than all else.
	rules func() *cel.Validator
}

// readDefinition returns the definition, which is read once and never changed.
var readDefinition = sync.OnceValues(parseDefinition)

func parseDefinition() (*definition, error) {
	var resource apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(crd.DatasetGenerations, &resource); err != nil {
		return nil, fmt.Errorf("reading the resource's definition: %w", err)
	}
	var properties apiextensions.JSONSchemaProps
	served := resource.Spec.Versions[0].Schema.OpenAPIV3Schema
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(served, &properties, nil); err != nil {
		return nil, fmt.Errorf("reading the resource's definition: %w", err)
	}
	validator, _, err := validation.NewSchemaValidator(&properties)
	if err != nil {
		return nil, fmt.Errorf("reading the resource's definition: %w", err)
	}
	structural, err := schema.NewStructural(&properties)
	if err != nil {
		return nil, fmt.Errorf("reading the resource's definition: %w", err)
	}
	return &definition{
		structural: structural, validator: validator,
		rules: sync.OnceValue(func() *cel.Validator { return cel.NewValidator(structural, true, math.MaxInt64) }),
	}, nil
}

// refusal is a reason for which an API server would refuse a resource.
type refusal struct {
	field, message string
	// enum says that the message lists the values that would be right, which nothing else says better.
	enum bool
	// ofParts says that it speaks of what an object has as a whole, as that exactly one of its members must be set.
	ofParts bool
}

// refusalsOf finds all refusals of an object by an API server's own code, and the fields that the API does not have. Numbers of the object
// must be as the API server decodes them: int64 where they are whole.
func (d *definition) refusalsOf(ctx context.Context, object map[string]any) (refusals []refusal, unknown []string) {
	checked := runtime.DeepCopyJSON(object)
	unknown = pruning.PruneWithOptions(checked, d.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	problems, unknownMetadata := checkMetadata(checked)
	unknown = append(unknown, unknownMetadata...)
	defaulting.Default(checked, d.structural)
	problems = append(problems, validation.ValidateCustomResource(nil, checked, d.validator)...)
	problems = append(problems, listtype.ValidateListSetsAndMaps(nil, d.structural, checked)...)
	// An API server looks at the rules only of what has the right form.
	if !slices.ContainsFunc(problems, misshaped) {
		// The budget of the rules was checked when the definition was made; here nobody else waits.
		broken, _ := d.rules().Validate(ctx, nil, d.structural, checked, nil, math.MaxInt64)
		problems = append(problems, broken...)
	}
	for _, problem := range problems {
		if problem.Field == "" || problem.Field == "<nil>" {
			if strings.HasPrefix(problem.Detail, "Checked value must be") {
				continue // which is said once more, with the field
			}
		}
		refusals = append(refusals, refusalOf(problem))
	}
	return withoutConsequences(refusals), unknown
}

// cutLists cuts the lists of an object that are longer than the API takes, and returns which ones: to look at each item of a vast list
// takes long, and tells nothing more.
func cutLists(object map[string]any, shape *schema.Structural) (long []refusal) {
	var cut func(value any, shape *schema.Structural, path string) any
	cut = func(value any, shape *schema.Structural, path string) any {
		switch typed := value.(type) {
		case map[string]any:
			for name, one := range typed {
				if known := member(shape, name); known != nil {
					typed[name] = cut(one, known, joined(path, name))
				}
			}
		case []any:
			if limits := shape.ValueValidation; limits != nil && limits.MaxItems != nil && int64(len(typed)) > *limits.MaxItems {
				long = append(long, refusal{field: path, message: fmt.Sprintf("has %d items, and must have at most %d", len(typed), *limits.MaxItems)})
				typed = typed[:*limits.MaxItems]
			}
			for i, one := range typed {
				if shape.Items != nil {
					typed[i] = cut(one, shape.Items, fmt.Sprintf("%s[%d]", path, i))
				}
			}
			return typed
		}
		return value
	}
	cut(object, shape, "")
	return long
}

// withoutConsequences leaves out what is said of an object as a whole whose type is none: what goes with it is not known.
func withoutConsequences(refusals []refusal) []refusal {
	mistyped := map[string]bool{}
	for _, one := range refusals {
		if owner, isType := strings.CutSuffix(one.field, ".type"); isType && one.enum {
			mistyped[owner] = true
		}
	}
	return slices.DeleteFunc(refusals, func(one refusal) bool { return mistyped[one.field] })
}

// checkMetadata checks what a definition does not describe.
func checkMetadata(object map[string]any) (problems field.ErrorList, unknown []string) {
	path := field.NewPath("metadata")
	data, err := json.Marshal(object["metadata"])
	if err != nil {
		return field.ErrorList{field.Invalid(path, nil, err.Error())}, nil
	}
	var metadata metav1.ObjectMeta
	strict, err := strictjson.UnmarshalStrict(data, &metadata)
	if err != nil {
		return field.ErrorList{field.Invalid(path, nil, "has a value of the wrong type: "+strings.TrimPrefix(err.Error(), "json: "))}, nil
	}
	for _, one := range strict {
		if match := quoted.FindStringSubmatch(one.Error()); match != nil {
			unknown = append(unknown, "metadata."+match[1])
		}
	}
	for _, problem := range apimachineryvalidation.ValidateNamespaceName(metadata.Namespace, false) {
		if metadata.Namespace != "" {
			problems = append(problems, field.Invalid(path.Child("namespace"), metadata.Namespace, problem))
		}
	}
	if metadata.Name == "" && metadata.GenerateName == "" {
		problems = append(problems, field.Required(path.Child("name"), "is missing"))
	}
	return problems, unknown
}

var quoted = regexp.MustCompile(`"([^"]*)"`)

// misshaped says whether an error keeps an API server from looking at the rules.
func misshaped(refusal *field.Error) bool {
	switch refusal.Type {
	case field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
		return true
	}
	return false
}

var (
	// pathBefore is the path that some messages begin with once more.
	pathBefore = regexp.MustCompile(`^\S+ in body `)
	ofType     = regexp.MustCompile(`must be of type ([a-z0-9,]+): "([a-z0-9]+)"`)
)

// typeNames are the types of JSON as users know them.
var typeNames = map[string]string{
	"string": "a text", "integer": "a whole number", "int64": "a whole number", "int32": "a whole number",
	"number": "a number", "float64": "a number with a fraction",
	"boolean": "true or false", "array": "a list", "object": "an object", "null": "empty",
}

// refusalOf says in plain words what an API server has found.
func refusalOf(problem *field.Error) refusal {
	result := refusal{field: problem.Field, message: problem.Detail}
	if result.field == "<nil>" {
		result.field = ""
	}
	switch problem.Type {
	case field.ErrorTypeNotSupported:
		var values []string
		for _, match := range quoted.FindAllStringSubmatch(problem.Detail, -1) {
			values = append(values, match[1])
		}
		result.enum = true
		value := fmt.Sprint(problem.BadValue)
		result.message = fmt.Sprintf("%q is not one of its values%s", value, plan.Suggestion(value, values))
		if !strings.Contains(result.message, "there are") {
			result.message += " Its values are " + strings.Join(values, ", ")
		}
		return result
	case field.ErrorTypeRequired:
		result.message = "is missing"
		return result
	case field.ErrorTypeTypeInvalid, field.ErrorTypeInvalid:
		if match := ofType.FindStringSubmatch(problem.ErrorBody()); match != nil {
			result.message = fmt.Sprintf("must be %s, but is %s", typeNames[match[1]], typeNames[match[2]])
			return result
		}
		result.ofParts = problem.Type == field.ErrorTypeInvalid
	}
	if problem.Type != field.ErrorTypeInvalid || result.message == "" {
		result.message = problem.ErrorBody()
	}
	result.message = pathBefore.ReplaceAllString(result.message, "")
	return result
}

// fieldsOf are the names of the fields of an object, by its path.
func (d *definition) fieldsOf(path string) []string {
	shape := d.structural
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		switch {
		case shape == nil:
			return nil
		case shape.Items != nil:
			shape = shape.Items
		default:
			shape = member(shape, step)
		}
	}
	if shape == nil {
		return nil
	}
	var names []string
	for name := range shape.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
