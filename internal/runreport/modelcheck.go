package runreport

import "seedloom.dev/seedloom/internal/clip"

// ModelCheck is what the models have answered to the question that they are asked before the first row.
type ModelCheck struct {
	// Asked is how many models were asked.
	Asked int `json:"asked"`
	// Problems are why some of them can't be used well, as far as their answers tell; those of other models are fine.
	Problems []ModelProblem `json:"problems,omitempty"`
}

// ModelProblem is what is wrong with the answer of a model.
type ModelProblem struct {
	Alias   string `json:"alias"`
	Reason  string `json:"reason"`
	Message string `json:"message,omitempty"`
}

// short is the check with at most so many problems, and messages of at most so many bytes.
func (c *ModelCheck) short(problems, bytes int) *ModelCheck {
	if c == nil {
		return nil
	}
	shorter := ModelCheck{Asked: c.Asked}
	for _, problem := range c.Problems[:min(len(c.Problems), problems)] {
		problem.Message = clip.Text(problem.Message, bytes)
		shorter.Problems = append(shorter.Problems, problem)
	}
	return &shorter
}
