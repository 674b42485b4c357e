package people

import "seedloom.dev/seedloom/engine/random"

// The ages of those who work: before, they go to school; since the first of the later ones, half have retired, and since the second, all.
const workingAge, earlyRetirement, retirement = 16, 62, 68

// pupil, student and retired are the occupations of those who do not work.
const pupil, student, retired = "pupil", "student", "retired"

// occupation draws what somebody of an age and a level of education does.
func occupation(stream *random.Stream, age, level int) any {
	chance, index := stream.Below(100), stream.Uint64()
	switch {
	case age < 6:
		return nil
	case age < workingAge:
		return pupil
	case age >= retirement, age >= earlyRetirement && chance < 50:
		return retired
	case age < 18 && chance < 80, age < 26 && level >= levelSecondary && level <= levelBachelor && chance < 40:
		return student
	}
	jobs := occupations[level]
	return jobs[index%uint64(len(jobs))]
}

// occupations are by the level of education that they ask for.
var occupations = [...][]any{
	levelNone:    {"farm worker"},
	levelPrimary: {"farm worker", "cleaner"},
	levelSecondary: {
		"baker", "barber", "bricklayer", "bus driver", "butcher", "carpenter", "cashier", "cleaner", "construction worker", "cook",
		"delivery driver", "electrician", "farmer", "fisher", "florist", "forklift operator", "gardener", "hairdresser", "hotel receptionist",
		"joiner", "machine operator", "mail carrier", "mason", "mechanic", "nursing assistant", "painter", "plasterer", "plumber",
		"roofer", "sales assistant", "seamstress", "security guard", "taxi driver", "truck driver", "waiter", "warehouse worker", "welder",
	},
	levelCollege: {
		"administrative assistant", "bank clerk", "bookkeeper", "call centre agent", "childcare worker", "dispatcher", "estate agent",
		"event planner", "firefighter", "fitness trainer", "flight attendant", "insurance agent", "office clerk", "photographer",
		"police officer", "postal clerk", "sales representative", "shop manager", "teaching assistant", "travel agent",
	},
	levelAssociate: {
		"air traffic controller", "chef", "dental hygienist", "drafter", "IT support technician", "laboratory technician", "legal assistant",
		"medical assistant", "network technician", "occupational therapy assistant", "paramedic", "physiotherapy assistant", "radiographer",
		"registered nurse", "surveying technician", "veterinary technician", "web designer",
	},
	levelBachelor: {
		"accountant", "auditor", "business analyst", "chemical engineer", "civil engineer", "copywriter", "database administrator",
		"editor", "electrical engineer", "financial analyst", "graphic designer", "human resources manager", "journalist", "kindergarten teacher",
		"logistics manager", "marketing manager", "mechanical engineer", "midwife", "primary school teacher", "product manager",
		"project manager", "public relations officer", "social worker", "software developer", "systems administrator", "translator",
	},
	levelGraduate: {
		"architect", "clinical pharmacist", "data scientist", "economist", "environmental scientist", "geologist", "interpreter",
		"landscape architect", "lawyer", "librarian", "management consultant", "occupational therapist", "operations research analyst",
		"psychotherapist", "school principal", "secondary school teacher", "speech therapist", "statistician", "urban planner",
	},
	levelDoctor: {
		"astronomer", "biochemist", "dentist", "general practitioner", "historian", "mathematician", "medical researcher", "paediatrician",
		"physicist", "psychiatrist", "surgeon", "university lecturer", "university professor", "veterinarian",
	},
}
