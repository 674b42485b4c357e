package memory_test

import (
	"errors"
	"testing"

	"seedloom.dev/seedloom/engine/store/memory"
	"seedloom.dev/seedloom/engine/store/objects"
	"seedloom.dev/seedloom/engine/store/storetest"
)

func TestTheSimulatedVolumeConforms(t *testing.T) {
	storetest.Conform(t, func(*testing.T) func() objects.Volume { return memory.New().Open })
	storetest.ConformUnsynced(t, memory.New().Open)
}

func TestWhatAnEndLeaves(t *testing.T) {
	for _, test := range []struct {
		end       memory.End
		put, gone bool
		log       string
	}{
		{memory.KillBefore, false, true, "synced unsynced"},
		{memory.KillAfter, true, true, "synced unsynced"},
		{memory.PowerBefore, false, false, "synced unsy"},
		{memory.PowerAfter, true, true, "synced unsy"}, // the write into the folder has taken the removal along
	} {
		t.Run(test.end.String(), func(t *testing.T) {
			disk := memory.New()
			before := disk.Open()
			log, err := before.Append("log", 0)
			if err != nil {
				t.Fatal(err)
			}
			_, first := log.Write([]byte("synced "))
			err = errors.Join(first, log.Sync(), before.Put("folder/old", nil), before.Remove("folder/old"))
			if _, second := log.Write([]byte("unsynced")); errors.Join(err, second) != nil {
				t.Fatal(err, second)
			}
			disk.StopAt(1, test.end)
			if err := before.Put("folder/new", nil); !errors.Is(err, memory.ErrStopped) {
				t.Fatalf("got %v", err)
			}
			if _, err := before.Get("log"); !errors.Is(err, memory.ErrStopped) {
				t.Errorf("the machine still runs: %v", err)
			}
			disk.Restart()
			after := disk.Open()
			_, put := after.Get("folder/new")
			_, old := after.Get("folder/old")
			got, err := after.Get("log")
			if (put == nil) != test.put || (old != nil) != test.gone || string(got) != test.log || err != nil {
				t.Errorf("the new object: %v, the old one: %v, the log: %q, %v", put, old, got, err)
			}
		})
	}
}
