package datadesigner

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// personMembers are the members that persons have in each dataset, whatever a file of persons holds besides.
var personMembers = []string{
	"uuid", "locale", "first_name", "middle_name", "last_name", "full_name", "sex", "age", "birth_date", "marital_status", "education_level",
	"bachelors_field", "occupation", "email_address", "phone_number", "street_number", "street_name", "unit", "city", "region", "postcode",
	"country", "address", "national_id", "national_id_type",
}

// stateMember is what Data Designer calls the region of a person.
const stateMember, regionMember = "state", "region"

// members has the members of persons that templates read: those that only a file has are added to what is read of it, and the region is
// read by its name here.
func (c *converter) members() error {
	text, err := json.Marshal(c.spec)
	if err != nil {
		return err
	}
	var made []*regexp.Regexp
	for i := range c.spec.Columns {
		column := &c.spec.Columns[i]
		if column.Sampler == nil || column.Sampler.Person == nil {
			continue
		}
		reads := memberPattern(column.Name)
		dataset := column.Sampler.Person.Dataset
		if dataset == nil {
			made = append(made, reads)
			continue
		}
		for _, read := range reads.FindAllSubmatch(text, -1) {
			addMember(dataset, string(read[3]))
		}
	}
	return c.renameStates(made)
}

// renameStates has templates read the region where they read the state of persons that are made up.
func (c *converter) renameStates(reads []*regexp.Regexp) error {
	text, err := json.Marshal(c.spec)
	if err != nil {
		return err
	}
	renamed := text
	for _, read := range reads {
		renamed = read.ReplaceAllFunc(renamed, func(found []byte) []byte {
			groups := read.FindSubmatch(found)
			if string(groups[3]) != stateMember {
				return found
			}
			return slices.Concat(groups[1], groups[2], []byte(regionMember), groups[4])
		})
	}
	if bytes.Equal(renamed, text) {
		return nil
	}
	*c.spec = v1alpha1.DatasetGenerationSpec{}
	return json.Unmarshal(renamed, c.spec)
}

// memberPattern finds where templates read a member of a column: what stands before its name, as a member or as an index, is in the first
// two groups, the name of the member in the third, and its end in the last.
func memberPattern(column string) *regexp.Regexp {
	return regexp.MustCompile(`(^|[^A-Za-z0-9_.])(` + regexp.QuoteMeta(column) + `(?:\.|\[(?:'|\\")))([A-Za-z_][A-Za-z0-9_]*)((?:'|\\")?)`)
}

// addMember has a member read from the file, where persons do not have it anyway.
func addMember(dataset *v1alpha1.PersonDataset, name string) {
	isAdded := func(member v1alpha1.SeedColumn) bool { return member.Name == name }
	if slices.Contains(personMembers, name) || slices.ContainsFunc(dataset.Members, isAdded) {
		return
	}
	member := v1alpha1.SeedColumn{Name: name}
	if name == stateMember {
		member.From = regionMember
	}
	dataset.Members = append(dataset.Members, member)
}
