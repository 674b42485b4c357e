package people

import (
	"time"

	"seedloom.dev/seedloom/engine/random"
)

// maxAge is the highest age.
const maxAge = 114

// living are how frequent ages are among the living, by groups of five years, from 0 to 114. They are whole numbers, so that every machine
// draws the same ages.
var living = [...]float64{
	1000, 999, 998, 997, 996, 995, 993, 990, 985, 978, 967, 950, 925, 890, 835, 750, 630, 470, 280, 120, 35, 6, 1,
}

// ages draws ages.
type ages struct {
	groups random.Weights
	// lowest of each group, and what is drawn within it.
	lowest []int
	within []random.Weights
}

// livingAges draws ages in a range as they are among the living.
func livingAges(low, high int) ages {
	weights := make([]float64, 0, high-low+1)
	for age := low; age <= high; age++ {
		weights = append(weights, living[age/5])
	}
	return ages{random.NewWeights(1), []int{low}, []random.Weights{random.NewWeights(weights...)}}
}

// add adds a group of ages that are equally frequent.
func (a *ages) add(low, high int) {
	weights := make([]float64, high-low+1)
	for i := range weights {
		weights[i] = 1
	}
	a.lowest, a.within = append(a.lowest, low), append(a.within, random.NewWeights(weights...))
}

func (a *ages) draw(stream *random.Stream) int {
	group := a.groups.Draw(stream)
	return a.lowest[group] + a.within[group].Draw(stream)
}

// birthday draws the day of birth of somebody who has an age on a day.
func birthday(stream *random.Stream, asOf time.Time, age int) time.Time {
	first, last := yearsBefore(asOf, age+1).AddDate(0, 0, 1), yearsBefore(asOf, age)
	days := uint64(last.Sub(first)/(24*time.Hour)) + 1
	return first.AddDate(0, 0, int(stream.Below(days)))
}

// yearsBefore is the last day of birth of those who have an age on a day: in years without a 29th of February, that day counts as the 28th.
func yearsBefore(day time.Time, years int) time.Time {
	before := day.AddDate(-years, 0, 0)
	if before.Day() != day.Day() {
		before = before.AddDate(0, 0, -1)
	}
	return before
}

// ageOn is the age of somebody on a day.
func ageOn(birth, day time.Time) int {
	age := day.Year() - birth.Year()
	if day.Month() < birth.Month() || day.Month() == birth.Month() && day.Day() < birth.Day() {
		age--
	}
	return age
}

// The values of the members whose values are words.
var (
	maritalStatuses = [...]any{"never_married", "married_present", "separated", "divorced", "widowed"}
	degreeFields    = [...]any{"stem", "stem_related", "business", "education", "arts_humanities"}
)

// noDegree is the field of those who have studied none.
const noDegree = "no_degree"

// marital are how frequent the marital statuses are, for those who are younger than an age.
var marital = [...]struct {
	below  int
	shares random.Weights
}{
	{18, random.NewWeights(1)},
	{25, random.NewWeights(89, 10, 1)},
	{35, random.NewWeights(50, 43, 2, 5)},
	{50, random.NewWeights(25, 58, 3, 13, 1)},
	{65, random.NewWeights(14, 60, 3, 18, 5)},
	{80, random.NewWeights(7, 58, 2, 15, 18)},
	{maxAge + 1, random.NewWeights(5, 40, 1, 9, 45)},
}

func maritalStatus(stream *random.Stream, age int) any {
	group := 0
	for marital[group].below <= age {
		group++
	}
	return maritalStatuses[marital[group].shares.Draw(stream)]
}

// education is a level, with how many of a hundred adults have it, and the age from which on somebody can.
type education struct {
	level any
	from  int
	share float64
}

// The levels of education, by their index in educations.
const (
	levelNone = iota
	levelPrimary
	levelSecondary
	levelCollege
	levelAssociate
	levelBachelor
	levelGraduate
	levelDoctor
)

// educations are the levels in ascending order. Those without a share are of children.
var educations = [...]education{
	levelNone:      {"none", 0, 0},
	levelPrimary:   {"primary_education", 6, 0},
	levelSecondary: {"secondary_education", 16, 38},
	levelCollege:   {"some_college", 18, 14},
	levelAssociate: {"associates", 20, 10},
	levelBachelor:  {"bachelors", 21, 22},
	levelGraduate:  {"graduate", 24, 12},
	levelDoctor:    {"doctorate", 28, 4},
}

// educationShares are those of the levels that an age can have, by the number of levels.
var educationShares = func() (shares [len(educations) + 1]random.Weights) {
	for count := range shares {
		weights := make([]float64, count)
		for i := range weights {
			weights[i] = educations[i].share
		}
		shares[count] = random.NewWeights(weights...)
	}
	return shares
}()

// educationLevel draws the level of somebody of an age.
func educationLevel(stream *random.Stream, age int) int {
	possible := 0
	for possible < len(educations) && educations[possible].from <= age {
		possible++
	}
	if possible <= levelSecondary {
		return possible - 1
	}
	return educationShares[possible].Draw(stream)
}

// studied is the field of a level of education.
func studied(stream *random.Stream, level int) any {
	field := degreeFields[stream.Below(uint64(len(degreeFields)))]
	if level < levelBachelor {
		return noDegree
	}
	return field
}
