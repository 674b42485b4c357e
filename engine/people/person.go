package people

import (
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
)

// The members of a person, by their index.
const (
	memberUUID = iota
	memberLocale
	memberFirstName
	memberMiddleName
	memberLastName
	memberFullName
	memberSex
	memberAge
	memberBirthDate
	memberMaritalStatus
	memberEducationLevel
	memberBachelorsField
	memberOccupation
	memberEmailAddress
	memberPhoneNumber
	memberStreetNumber
	memberStreetName
	memberUnit
	memberCity
	memberRegion
	memberPostcode
	memberCountry
	memberAddress
	memberNationalID
	memberNationalIDType
	memberCount
)

// memberNames are the names of the members. They are stable, and new ones come last.
var memberNames = [memberCount]string{
	"uuid", "locale", "first_name", "middle_name", "last_name", "full_name", "sex", "age", "birth_date", "marital_status", "education_level",
	"bachelors_field", "occupation", "email_address", "phone_number", "street_number", "street_name", "unit", "city", "region", "postcode",
	"country", "address", "national_id", "national_id_type",
}

// fileNames are the names that files of persons have for members besides the members' own.
var fileNames = map[int][]string{
	memberSex:            {"gender"},
	memberBirthDate:      {"date_of_birth", "birthday"},
	memberEmailAddress:   {"email"},
	memberPhoneNumber:    {"phone"},
	memberRegion:         {"state", "province"},
	memberPostcode:       {"zipcode", "zip_code", "postal_code"},
	memberNationalID:     {"ssn"},
	memberStreetNumber:   {"house_number"},
	memberStreetName:     {"street"},
	memberOccupation:     {"job"},
	memberBachelorsField: {"field_of_study"},
}

// Type is the type of the persons of a sampler: a struct of the members that all have, and of those that its dataset adds.
func Type(spec *v1alpha1.PersonSampler) table.Type {
	fields := make([]table.Field, 0, memberCount)
	for member, name := range memberNames {
		fields = append(fields, table.Field{Name: name, Type: memberType(member)})
	}
	if spec != nil && spec.Dataset != nil {
		for i := range spec.Dataset.Members {
			fields = append(fields, table.Field{Name: spec.Dataset.Members[i].Name, Type: addedType(spec.Dataset.Members[i].Type)})
		}
	}
	return table.Type{Kind: table.KindStruct, Fields: fields}
}

func memberType(member int) table.Type {
	switch member {
	case memberAge:
		return table.Type{Kind: table.KindInt}
	case memberBirthDate:
		return table.Type{Kind: table.KindDate}
	}
	return table.Type{Kind: table.KindString}
}

// addedType is the type of a member that a dataset adds: a text, where nothing is said.
func addedType(kind v1alpha1.SeedColumnType) table.Type {
	switch kind {
	case v1alpha1.SeedColumnInt:
		return table.Type{Kind: table.KindInt}
	case v1alpha1.SeedColumnFloat:
		return table.Type{Kind: table.KindFloat}
	case v1alpha1.SeedColumnBool:
		return table.Type{Kind: table.KindBool}
	case v1alpha1.SeedColumnDecimal:
		return table.AnyDecimal()
	case v1alpha1.SeedColumnDate:
		return table.Type{Kind: table.KindDate}
	case v1alpha1.SeedColumnTime:
		return table.Type{Kind: table.KindTime}
	case v1alpha1.SeedColumnTimestamp:
		return table.Type{Kind: table.KindTimestamp}
	}
	return table.Type{Kind: table.KindString, Mixed: true}
}

// memberOf is the member that a column of a file is, or -1.
func memberOf(column string) int {
	if member := slices.Index(memberNames[:], column); member >= 0 {
		return member
	}
	for member, others := range fileNames {
		if slices.Contains(others, column) {
			return member
		}
	}
	return -1
}
