package model_test

import (
	"encoding/json"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
)

type drawnParameters struct {
	Seed        *int64   `json:"seed"`
	Temperature *float64 `json:"temperature"`
	TopP        *float64 `json:"top_p"`
}

func drawn(t *testing.T, spec string, draw uint64) drawnParameters {
	t.Helper()
	var parsed v1alpha1.Model
	if err := yaml.UnmarshalStrict([]byte(spec), &parsed); err != nil {
		t.Fatal(err)
	}
	request := question
	request.Random = random.NewKey(1, "request/x").At(draw)
	sent, _, _, _ := exchange(t, v1alpha1.ProviderOpenAI, parsed, request, "")
	var got drawnParameters
	if err := json.Unmarshal([]byte(sent), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

const drawing = `{rowSeed: Enabled, parameters: {temperatureDistribution: {uniform: {low: 0.5, high: 1.5}}, topPDistribution: {manual: ` +
	`{values: [0.25, 0.50, 1.0], weights: [1, 0, 3]}}}}`

func TestParametersAreDrawnAsAFunctionOfTheDraw(t *testing.T) {
	const draws = 200
	temperatures, seeds, topPs, sum := map[float64]bool{}, map[int64]bool{}, map[float64]int{}, 0.0
	for draw := range uint64(draws) {
		got, again := drawn(t, drawing, draw), drawn(t, drawing, draw)
		if *got.Seed != *again.Seed || *got.Temperature != *again.Temperature || *got.TopP != *again.TopP {
			t.Fatalf("draw %d: %v and then %v", draw, got, again)
		}
		if *got.Temperature < 0.5 || *got.Temperature >= 1.5 || *got.Seed < 0 || *got.Seed > 1<<31-1 {
			t.Errorf("draw %d: temperature %v, seed %d", draw, *got.Temperature, *got.Seed)
		}
		temperatures[*got.Temperature], seeds[*got.Seed] = true, true
		topPs[*got.TopP]++
		sum += *got.Temperature
	}
	if len(temperatures) != draws || len(seeds) != draws || sum/draws < 0.9 || sum/draws > 1.1 {
		t.Errorf("%d temperatures with the mean %v, %d seeds", len(temperatures), sum/draws, len(seeds))
	}
	if len(topPs) != 2 || topPs[1] < 130 || topPs[1] > 170 {
		t.Errorf("topP was %v", topPs)
	}
}

// What is drawn is part of the contract with users: the same spec sends the same requests.
func TestDrawsOfParametersAreFrozen(t *testing.T) {
	got := drawn(t, drawing, 42)
	if *got.Seed != 870032555 || *got.Temperature != 1.3691726670791566 || *got.TopP != 1 {
		t.Errorf("got seed %d, temperature %v, topP %v", *got.Seed, *got.Temperature, *got.TopP)
	}
}

func TestWhatIsNotSetIsNotSent(t *testing.T) {
	if got := drawn(t, `{rowSeed: Disabled, parameters: {maxTokens: 1}}`, 7); got != (drawnParameters{}) {
		t.Errorf("got %+v", got)
	}
}
