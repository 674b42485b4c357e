package v1alpha1

import (
	"bytes"
	"encoding/json"
	"maps"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// ExtraBodyMembers reads an extraBody; its numbers stay as they were written.
func ExtraBodyMembers(body *apiextensionsv1.JSON) (members map[string]any, err error) {
	if body == nil {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body.Raw))
	decoder.UseNumber()
	err = decoder.Decode(&members)
	return members, err
}

// ExtraBodyOf returns what is added to the body of a model's requests: the members of the model's extraBody, over which those of the
// provider's win. It is nil when there are none.
func (p *Provider) ExtraBodyOf(model *Model) map[string]any {
	var all map[string]any
	for _, body := range []*apiextensionsv1.JSON{model.ExtraBody, p.ExtraBody} {
		members, err := ExtraBodyMembers(body)
		if err != nil {
			continue // the validation reports it
		}
		if all == nil && len(members) > 0 {
			all = make(map[string]any)
		}
		maps.Copy(all, members)
	}
	return all
}
