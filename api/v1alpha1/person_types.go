package v1alpha1

// PersonSampler draws persons whose parts fit each other. docs/people.md has the members that each has, and the locales.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="!has(self.locale) || !has(self.locales)",message="locale can't be set beside locales"
// +kubebuilder:validation:XValidation:rule="!has(self.ageRange) || !has(self.ages)",message="ageRange can't be set beside ages"
type PersonSampler struct {
	// locale is the language and the country of the persons, such as de_DE. It is en_US where neither it nor
	// locales is set.
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=16
	// +optional
	Locale string `json:"locale,omitempty"`

	// locales are several locales with their shares, in place of locale.
	// +listType=map
	// +listMapKey=value
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +optional
	Locales []WeightedValue `json:"locales,omitempty"`

	// sexes are the sexes that occur, with their shares: Female and Male. Without it, both are equally frequent.
	// +listType=map
	// +listMapKey=value
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	// +optional
	Sexes []PersonSexShare `json:"sexes,omitempty"`

	// ageRange are the lowest and the highest age, both included, from 0 to 114. Within it, ages are as frequent as among the living.
	// Without it, they are 18 and 90.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=2
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:items:Minimum=0
	// +kubebuilder:validation:items:Maximum=114
	// +optional
	AgeRange []int32 `json:"ageRange,omitempty"`

	// ages are groups of ages with their shares, in place of ageRange. Within a group, all ages are equally frequent.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +optional
	Ages []AgeGroup `json:"ages,omitempty"`

	// asOf is the day on which a person has the age. It is a day of the spec, and not today's, so that the same spec always gives the same
	// persons. Without it, it is 2026-01-01.
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
	// +kubebuilder:validation:MaxLength=10
	// +optional
	AsOf string `json:"asOf,omitempty"`

	// regions are the regions (states, provinces) that persons live in, with their shares. Without it, places are as frequent as they are
	// large.
	// +listType=map
	// +listMapKey=value
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +optional
	Regions []WeightedValue `json:"regions,omitempty"`

	// cities are the cities that persons live in, with their shares.
	// +listType=map
	// +listMapKey=value
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +optional
	Cities []WeightedValue `json:"cities,omitempty"`

	// emails says whether two persons of the dataset may have the same e-mail address. Defaults to Any.
	// +optional
	Emails EmailUniqueness `json:"emails,omitempty"`

	// emailDomains are the domains of e-mail addresses, with their shares. Without it, they are example.com, example.net and example.org,
	// which belong to nobody.
	// +listType=map
	// +listMapKey=value
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +optional
	EmailDomains []WeightedValue `json:"emailDomains,omitempty"`

	// dataset draws the persons from a file of yours, in place of making them up.
	// +optional
	Dataset *PersonDataset `json:"dataset,omitempty"`
}

// PersonSex is the sex of a person.
// +kubebuilder:validation:Enum=Female;Male
type PersonSex string

// The sexes of persons.
const (
	PersonFemale PersonSex = "Female"
	PersonMale   PersonSex = "Male"
)

// EmailUniqueness says whether e-mail addresses may occur twice.
// +kubebuilder:validation:Enum=Any;Unique
type EmailUniqueness string

const (
	// EmailsAny lets persons of the same name have the same address.
	EmailsAny EmailUniqueness = "Any"
	// EmailsUnique gives each row of the dataset an address that no other row has.
	EmailsUnique EmailUniqueness = "Unique"
)

// WeightedValue is a value with its share.
type WeightedValue struct {
	// value is the value.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +required
	Value string `json:"value,omitempty"`

	// weight is how frequent the value is, relative to the others, which is 1 where it is not set.
	// +kubebuilder:validation:XValidation:rule="self >= 0.0",message="must not be negative"
	// +optional
	Weight *Decimal `json:"weight,omitempty"`
}

// PersonSexShare is a sex with its share.
type PersonSexShare struct {
	// value is the sex.
	// +required
	Value PersonSex `json:"value,omitempty"`

	// weight is how frequent the sex is, relative to the other, which is 1 where it is not set.
	// +kubebuilder:validation:XValidation:rule="self >= 0.0",message="must not be negative"
	// +optional
	Weight *Decimal `json:"weight,omitempty"`
}

// AgeGroup is a range of ages with its share.
//
// +kubebuilder:validation:XValidation:rule="self.min <= self.max",message="min must not be above max"
type AgeGroup struct {
	// min is the lowest age.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=114
	// +required
	Min *int32 `json:"min,omitempty"`

	// max is the highest age, which is included.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=114
	// +required
	Max *int32 `json:"max,omitempty"`

	// weight is how frequent the group is, relative to the others, which is 1 where it is not set.
	// +kubebuilder:validation:XValidation:rule="self >= 0.0",message="must not be negative"
	// +optional
	Weight *Decimal `json:"weight,omitempty"`
}

// PersonDataset is a file of persons, one a row. Columns with the names of a person's members become these; docs/people.md lists which
// other names are known. No person comes twice before each has come once.
//
// +kubebuilder:validation:ExactlyOneOf=configMap;persistentVolumeClaim;http
type PersonDataset struct {
	// configMap reads the file from a key of a ConfigMap in this namespace.
	// +optional
	ConfigMap *ConfigMapSeed `json:"configMap,omitempty"`

	// persistentVolumeClaim reads the file from a volume.
	// +optional
	PersistentVolumeClaim *PersistentVolumeClaimFile `json:"persistentVolumeClaim,omitempty"`

	// http downloads the file.
	// +optional
	HTTP *HTTPFile `json:"http,omitempty"`

	// format is the format of the data. Without it, the ending of the key, path or URL tells, as for seeds.
	// +optional
	Format SeedFormat `json:"format,omitempty"`

	// members are further columns of the file that each person has, after the members that all have.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +optional
	Members []SeedColumn `json:"members,omitempty"`

	// where lets only persons in that have one of some values in a column of the file, for each entry.
	// +listType=map
	// +listMapKey=column
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +optional
	Where []PersonFilter `json:"where,omitempty"`
}

// PersonFilter names values of a column.
type PersonFilter struct {
	// column is a column of the file.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +required
	Column string `json:"column,omitempty"`

	// values are the values that let a person in, as texts.
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=1024
	// +required
	Values []string `json:"values,omitempty"`
}

// AsSeed is the file of the dataset, as what reads seeds takes it.
func (d *PersonDataset) AsSeed() *Seed {
	seed := &Seed{ConfigMap: d.ConfigMap, Format: d.Format}
	if claim := d.PersistentVolumeClaim; claim != nil {
		seed.PersistentVolumeClaim = &PersistentVolumeClaimSeed{ClaimName: claim.ClaimName, Path: claim.Path}
	}
	if d.HTTP != nil {
		seed.HTTP = &HTTPSeed{URL: d.HTTP.URL}
	}
	return seed
}

// PersonDataset is the file that the persons of a column are drawn from; nil where they are made up, or are none.
func (c *Column) PersonDataset() *PersonDataset {
	if c.Sampler == nil || c.Sampler.Person == nil {
		return nil
	}
	return c.Sampler.Person.Dataset
}
