package plan

import (
	"fmt"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/table"
)

// exports checks what is written of the dataset in other formats. What columns a form has is known where its template is right.
func (v *validation) exports(unknownSeed bool) {
	seen := map[string]int{}
	for i := range v.spec.Output.Exports {
		export := &v.spec.Output.Exports[i]
		field := fmt.Sprintf("spec.output.exports[%d]", i)
		first, taken := seen[export.Name]
		switch {
		case export.Name == "":
			v.add(field+".name", ReasonRequired, "an export needs a name")
		case len(export.Name) > maxProcessorName || !processorName.MatchString(export.Name):
			v.add(field+".name", ReasonInvalidName, "%q can't name a folder of the output: a name has at most %d small letters, digits, '-' and '_'",
				export.Name, maxProcessorName)
		case taken:
			v.add(field+".name", ReasonInvalidValue, "spec.output.exports[%d] is called %q too", first, export.Name)
		default:
			seen[export.Name] = i
		}
		v.exportFormat(export, field)
		v.exportRows(export, field, unknownSeed)
	}
}

func (v *validation) exportFormat(export *v1alpha1.Export, field string) {
	switch export.Format {
	case v1alpha1.ExportJSONL, v1alpha1.ExportCSV, v1alpha1.ExportArrow:
	case "":
		v.add(field+".format", ReasonRequired, "JSONL, CSV or Arrow is needed")
	default:
		v.add(field+".format", ReasonInvalidValue, "must be JSONL, CSV or Arrow, but is %q", export.Format)
	}
	switch export.Compression {
	case "", v1alpha1.ExportUncompressed, v1alpha1.ExportZstd:
	case v1alpha1.ExportGzip:
		if export.Format == v1alpha1.ExportArrow {
			v.add(field+".compression", ReasonInvalidValue, "files of Arrow are compressed inside, with Zstd; they can't be with Gzip")
		}
	default:
		v.add(field+".compression", ReasonInvalidValue, "must be None, Gzip or Zstd, but is %q", export.Compression)
	}
	if size := export.EffectiveMaxFileBytes(); size < v1alpha1.MinExportFileBytes || size > v1alpha1.MaxExportFileBytes {
		v.add(field+".maxFileBytes", ReasonInvalidValue, "must be from %d to %d, but is %d",
			v1alpha1.MinExportFileBytes, v1alpha1.MaxExportFileBytes, size)
	}
	if export.CSV == nil {
		return
	}
	if export.Format != v1alpha1.ExportCSV {
		v.add(field+".csv", ReasonInvalidValue, "is for the format CSV")
	}
	switch export.CSV.Dialect {
	case "", v1alpha1.CSVRFC4180, v1alpha1.CSVSpreadsheet:
	default:
		v.add(field+".csv.dialect", ReasonInvalidValue, "must be RFC4180 or Spreadsheet, but is %q", export.CSV.Dialect)
	}
}

// exportRows checks which rows an export has, and how they are split.
func (v *validation) exportRows(export *v1alpha1.Export, field string, unknownSeed bool) {
	names, known := v.outputNames(), !unknownSeed
	if export.Of != "" {
		var forms []string
		var of *v1alpha1.Processor
		for i := range v.spec.Processors {
			processor := &v.spec.Processors[i]
			if !processor.MakesForm() {
				continue
			}
			forms = append(forms, processor.Name)
			if processor.Name == export.Of {
				of = processor
			}
		}
		if of == nil {
			v.add(field+".of", ReasonUnknownReference, "no processor makes a form that is called %q%s", export.Of, suggestion(export.Of, forms))
			return
		}
		columns := formColumns(of)
		if names, known = nil, columns != nil; known {
			names, known = append(fieldNames(columns.Fields()), v.outputNames()...), !unknownSeed
		}
	}
	if export.SplitBy != "" && known && !slices.Contains(names, export.SplitBy) {
		v.add(field+".splitBy", ReasonUnknownReference, "what is written has no column %q%s", export.SplitBy, suggestion(export.SplitBy, names))
	}
}

// outputNames are the names of the columns of the dataset, as far as they are known.
func (v *validation) outputNames() []string {
	var fields []table.Field
	for _, name := range v.seedNames {
		fields = append(fields, table.Field{Name: name})
	}
	for i := range v.spec.Columns {
		fields = append(fields, table.Field{Name: v.spec.Columns[i].Name})
		for _, effect := range sideEffects(&v.spec.Columns[i]) {
			fields = append(fields, effect.Field)
		}
	}
	output, _ := split(v.spec, fields)
	return fieldNames(output)
}

// formColumns are the columns of a form; nil where they are not known.
func formColumns(processor *v1alpha1.Processor) *table.Schema {
	if processor.Form != nil {
		if shape := process.ShapeOf(processor.Form); shape != nil {
			return shape.Schema
		}
		return nil
	}
	transform := processor.SchemaTransform
	if transform.Schema != nil {
		_, columns, _ := process.ParseSchema(transform.Schema.Raw)
		return columns
	}
	if transform.Template == nil {
		return nil
	}
	template, problems := process.ParseTemplate(transform.Template.Raw)
	if len(problems) > 0 {
		return nil
	}
	return template.Schema()
}
