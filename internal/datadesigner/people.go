package datadesigner

import (
	"path"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// fakerPerson converts persons that are made up.
func (c *converter) fakerPerson(from *object, to *v1alpha1.Sampler) bool {
	to.Type, to.Person = v1alpha1.SamplerPerson, &v1alpha1.PersonSampler{Locale: from.text("locale")}
	for i, age := range from.list("age_range") {
		if whole := from.wholeOf(age, from.at("age_range")); whole != nil && i < 2 {
			to.Person.AgeRange = append(to.Person.AgeRange, int32(*whole))
		}
	}
	if sex := from.text("sex"); sex != "" {
		to.Person.Sexes = []v1alpha1.PersonSexShare{{Value: v1alpha1.PersonSex(sex)}}
	}
	for _, city := range from.oneOrMore("city") {
		to.Person.Cities = append(to.Person.Cities, v1alpha1.WeightedValue{Value: city})
	}
	return true
}

// managedLocales are those of managed files by which members that the file lacks are filled in.
var managedLocales = []string{"en_IN", "fr_FR", "ja_JP", "ko_KR", "pt_BR"}

// managedPerson converts persons of the files that Data Designer manages: they are looked for in the claim.
func (c *converter) managedPerson(from *object, to *v1alpha1.Sampler) bool {
	c.fakerPerson(from, to)
	person := to.Person
	if person.Locale == "" {
		person.Locale = "en_US"
	}
	file := path.Join("datasets", person.Locale+".parquet")
	person.Dataset = &v1alpha1.PersonDataset{
		PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimFile{ClaimName: c.options.ClaimName, Path: file},
	}
	for _, share := range person.Sexes {
		c.where(person.Dataset, "sex", string(share.Value))
	}
	for _, city := range person.Cities {
		c.where(person.Dataset, "city", city.Value)
	}
	if !slices.Contains(managedLocales, person.Locale) {
		person.Locale = ""
	}
	person.Sexes, person.Cities = nil, nil
	if fields := from.child("select_field_values"); fields != nil {
		for _, field := range fields.keys {
			c.where(person.Dataset, field, fields.texts(field)...)
		}
	}
	c.note(from.path, "the persons come from %s in the claim %s: copy the file of Data Designer's managed assets there",
		file, c.options.ClaimName)
	from.truth("with_synthetic_personas") // the file has them or not
	return true
}

// where lets in persons with one of the values in a column.
func (c *converter) where(of *v1alpha1.PersonDataset, column string, values ...string) {
	for i := range of.Where {
		if of.Where[i].Column == column {
			of.Where[i].Values = append(of.Where[i].Values, values...)
			return
		}
	}
	of.Where = append(of.Where, v1alpha1.PersonFilter{Column: column, Values: values})
}
