package seed

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
)

// maxColumns bounds the columns of a seed, and the fields of an object in it.
const maxColumns = 1000

// chosen is a column of the file that is used, under the name that it has in the dataset.
type chosen struct {
	name   string
	source int // its position in the file
	// asked is the type that the spec gives it; nil where it is inferred or that of the file.
	asked *table.Type
}

// choose returns the columns of a file that are used: all, or those of spec.seed.columns.
func choose(spec *v1alpha1.Seed, names []string) ([]chosen, error) {
	var columns []chosen
	if len(spec.Columns) == 0 {
		for i, name := range names {
			if name == "" {
				name = unnamed(i)
			}
			columns = append(columns, chosen{name: name, source: i})
		}
	}
	for i, column := range spec.Columns {
		source, err := find(names, column.Source())
		if err != nil {
			return nil, fmt.Errorf("spec.seed.columns[%d]: %w", i, err)
		}
		columns = append(columns, chosen{name: column.Name, source: source, asked: askedType(&column)})
	}
	return columns, checkNames(columns)
}

// unnamed is the name of a column that has none in the file: that which pandas gives it.
func unnamed(position int) string { return "Unnamed: " + strconv.Itoa(position) }

func find(names []string, name string) (int, error) {
	found := -1
	for i, candidate := range names {
		if candidate == "" {
			candidate = unnamed(i)
		}
		if candidate == name && found >= 0 {
			return 0, fmt.Errorf("two columns of the file have the name %q; rename one there", name)
		}
		if candidate == name {
			found = i
		}
	}
	if found < 0 {
		shown := names[:min(len(names), 20)]
		return 0, fmt.Errorf("the file has no column %q; it has %q", name, shown)
	}
	return found, nil
}

// askedType is the type that the spec gives a column; nil where it gives none.
func askedType(column *v1alpha1.SeedColumn) *table.Type {
	kinds := map[v1alpha1.SeedColumnType]table.Type{
		v1alpha1.SeedColumnStr: {Kind: table.KindString}, v1alpha1.SeedColumnInt: {Kind: table.KindInt},
		v1alpha1.SeedColumnFloat: {Kind: table.KindFloat},
		v1alpha1.SeedColumnBool:  {Kind: table.KindBool}, v1alpha1.SeedColumnDate: {Kind: table.KindDate},
		v1alpha1.SeedColumnTime:      {Kind: table.KindTime},
		v1alpha1.SeedColumnTimestamp: {Kind: table.KindTimestamp},
		v1alpha1.SeedColumnDecimal:   table.AnyDecimal(),
	}
	if kind, known := kinds[column.Type]; known {
		return &kind
	}
	return nil
}

// constants are names that a template reads as values, and never as a column.
var constants = []string{"true", "false", "none", "True", "False", "None"}

// rowName is a member that rows have for custom code.
const rowName = "_row"

// checkNames refuses names that would be read as something else.
func checkNames(columns []chosen) error {
	if len(columns) == 0 || len(columns) > maxColumns {
		return fmt.Errorf("it has %d columns; 1 to %d are supported, and spec.seed.columns selects some", len(columns), maxColumns)
	}
	seen := map[string]string{}
	for _, column := range columns {
		folded := strings.ToLower(column.name)
		before, twice := seen[folded]
		switch {
		case twice && before == column.name:
			return fmt.Errorf("two columns have the name %q; rename one in the file", column.name)
		case twice:
			return fmt.Errorf("the names %q and %q differ in nothing but upper and lower case, which many readers don't tell apart; %s", before,
				column.name, renaming(column.name))
		case slices.Contains(constants, column.name):
			return fmt.Errorf("a column has the name %q, which is a constant in templates; %s", column.name, renaming(column.name))
		case column.name == rowName:
			return fmt.Errorf("a column has the name %q, which custom code reads as the number of the row; %s", column.name, renaming(column.name))
		case !utf8.ValidString(column.name):
			return errors.New("the name of a column is not text in UTF-8; rename it in the file")
		}
		seen[folded] = column.name
	}
	return nil
}

func renaming(name string) string {
	return fmt.Sprintf("rename it in spec.seed.columns, which lists the columns that are used: {name: other, from: %q}", name)
}

// retyped turns a cell of a typed file into one of the type that the spec asks for.
func retyped(asked *table.Type, cell any) (any, error) {
	if cell == nil || asked == nil {
		return cell, nil
	}
	text, err := plainText(cell)
	if err != nil {
		return nil, err
	}
	if asked.Kind == table.KindDecimal {
		if number, isNumber := cell.(table.Decimal); isNumber {
			text = number.Plain()
		}
	}
	return table.Parse(*asked, text)
}

// plainText is how a template prints a cell.
func plainText(cell any) (string, error) {
	switch typed := cell.(type) {
	case string:
		return typed, nil
	case []byte:
		if !utf8.Valid(typed) {
			return "", fmt.Errorf("its %d bytes are not text in UTF-8", len(typed))
		}
		return string(typed), nil
	case int64:
		return strconv.FormatInt(typed, 10), nil
	case *big.Int:
		return typed.String(), nil
	case float64:
		return strconv.FormatFloat(typed, 'g', -1, 64), nil
	case bool:
		return strconv.FormatBool(typed), nil
	case time.Time:
		return table.FormatTimestamp(typed), nil
	case fmt.Stringer:
		return typed.String(), nil
	}
	return "", errors.New("lists and structs have no other type")
}
