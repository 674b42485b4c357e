package v1alpha1_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// defaultSentence is how a comment says the default of a field.
var defaultSentence = regexp.MustCompile(`Defaults\s+to\s+([^\s,:]*[^\s,:.])`)

// effective are the numbers and flags that the code takes where a field is not set, as their comments write them.
func effective() map[string]any {
	spec := &v1alpha1.DatasetGenerationSpec{NumRecords: 1000}
	shutdown := spec.EffectiveEarlyShutdown()
	percent := intstr.FromString(fmt.Sprintf("%d%%", spec.MinRecords()*100/spec.NumRecords))
	return map[string]any{
		"DatasetGenerationSpec.RandomSeed":           spec.RandomSeed,
		"DatasetGenerationSpec.Parallelism":          spec.EffectiveParallelism(),
		"RemoteValidator.BatchSize":                  (&v1alpha1.RemoteValidator{}).EffectiveBatchSize(),
		"RemoteValidator.MaxParallelRequests":        (&v1alpha1.RemoteValidator{}).EffectiveMaxParallelRequests(),
		"RemoteValidator.TimeoutSeconds":             (&v1alpha1.RemoteValidator{}).EffectiveTimeout().Seconds(),
		"RemoteValidator.MaxRetries":                 (&v1alpha1.RemoteValidator{}).EffectiveMaxRetries(),
		"Correction.MaxAttempts":                     (&v1alpha1.Validation{}).EffectiveCorrections(),
		"CompletionPolicy.MinRecords":                percent.String(),
		"SeedSelection.Offset":                       (&v1alpha1.SeedSelection{}).EffectiveOffset(),
		"DocumentChunk.Overlap":                      (&v1alpha1.DocumentChunk{}).EffectiveOverlap(),
		"Limits.BackoffLimit":                        spec.EffectiveBackoffLimit(),
		"Limits.StartupTimeoutSeconds":               spec.EffectiveStartupTimeoutSeconds(),
		"RunSettings.RowGroupSize":                   spec.EffectiveRowGroupSize(),
		"RunSettings.MaxRowAttempts":                 spec.EffectiveMaxRowAttempts(),
		"RunSettings.MaxRequestAttempts":             spec.EffectiveMaxRequestAttempts(),
		"RunSettings.SlowRequestThresholdSeconds":    spec.EffectiveSlowRequestThreshold().Seconds(),
		"RunSettings.MaxConversationRestarts":        spec.EffectiveConversationRestarts(),
		"RunSettings.MaxConversationCorrectionSteps": spec.EffectiveConversationCorrectionSteps(),
		"RunSettings.PreserveDroppedColumns":         spec.PreservesDroppedColumns(),
		"EarlyShutdown.ErrorRate":                    shutdown.ErrorRate,
		"EarlyShutdown.ErrorWindow":                  shutdown.ErrorWindow,
		"Export.MaxFileBytes":                        new(v1alpha1.Export).EffectiveMaxFileBytes(),
		"HuggingFaceRepository.Private":              new(v1alpha1.HuggingFaceRepository).IsPrivate(),
		"Column.PropagateSkip":                       new(v1alpha1.Column).PropagatesSkip(),
		"Column.Weight":                              new(v1alpha1.Column).EffectiveWeight(),
		"Model.MaxParallelRequests":                  new(v1alpha1.Model).EffectiveMaxParallelRequests(),
		"Model.TimeoutSeconds":                       new(v1alpha1.Model).EffectiveTimeoutSeconds(),
		"DistributionSampler.Loc":                    new(v1alpha1.DistributionSampler).EffectiveLoc(),
		"DistributionSampler.Scale":                  new(v1alpha1.DistributionSampler).EffectiveScale(),
		"SequenceSampler.Start":                      new(v1alpha1.SequenceSampler).EffectiveStart(),
		"SequenceSampler.Step":                       new(v1alpha1.SequenceSampler).EffectiveStep(),
		"GeoPointSampler.DecimalPlaces":              new(v1alpha1.GeoPointSampler).EffectiveDecimalPlaces(),
		"SequenceSampler.Gaps":                       new(v1alpha1.SequenceSampler).EffectiveGaps(),
		"Hedge.Quantile":                             new(v1alpha1.Hedge).EffectiveQuantile(),
		"Hedge.MaxExtra":                             fmt.Sprintf("%g%%", 100*new(v1alpha1.Hedge).EffectiveMaxExtra()),
		"ToolSet.MaxTurns":                           new(v1alpha1.ToolSet).EffectiveMaxTurns(),
		"ToolSet.TimeoutSeconds":                     new(v1alpha1.ToolSet).EffectiveTimeout().Seconds(),
	}
}

// Every number and flag that a comment calls a default is the one that the code takes, and every word is a value of the field's type.
func TestDefaultsAreAsTheirCommentsSay(t *testing.T) {
	files, err := filepath.Glob("*_types.go")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]string{}    // of each string type, its constants
	comments := map[string][2]string{} // of each field with a default, the type and the default
	isValue := regexp.MustCompile(`^[0-9]|^(true|false)$`)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			switch spec := node.(type) {
			case *ast.ValueSpec:
				if kind, isNamed := spec.Type.(*ast.Ident); isNamed && len(spec.Values) == 1 {
					if literal, isLiteral := spec.Values[0].(*ast.BasicLit); isLiteral {
						values[kind.Name] = append(values[kind.Name], strings.Trim(literal.Value, `"`))
					}
				}
			case *ast.TypeSpec:
				members, isStruct := spec.Type.(*ast.StructType)
				if !isStruct {
					break
				}
				for _, field := range members.Fields.List {
					if said := defaultSentence.FindStringSubmatch(field.Doc.Text()); said != nil && len(field.Names) == 1 {
						kind, _ := field.Type.(*ast.Ident)
						name := ""
						if kind != nil {
							name = kind.Name
						}
						comments[spec.Name.Name+"."+field.Names[0].Name] = [2]string{name, said[1]}
					}
				}
			}
			return true
		})
	}
	if len(comments) < 30 {
		t.Fatalf("only %d fields have a default", len(comments))
	}
	taken := effective()
	for _, field := range slices.Sorted(maps.Keys(comments)) {
		kind, said := comments[field][0], comments[field][1]
		value, known := taken[field]
		delete(taken, field)
		switch {
		case known && fmt.Sprint(value) != said:
			t.Errorf("the comment of %s says that it defaults to %s, and the code takes %v", field, said, value)
		case !known && isValue.MatchString(said):
			t.Errorf("%s defaults to %s by its comment; have this test ask the code", field, said)
		case !known && len(values[kind]) > 0 && !slices.Contains(values[kind], said):
			t.Errorf("the comment of %s says that it defaults to %s, which is none of %v", field, said, values[kind])
		}
	}
	for field, value := range taken {
		t.Errorf("the comment of %s does not say that it defaults to %v", field, value)
	}
}
