package s3

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"seedloom.dev/seedloom/engine/store/objects"
)

// UnfitError says that a store does not do what a dataset needs of it.
type UnfitError struct {
	// Store is what it is called, and Does what it does.
	Store, Does string
}

// Error says what the store does, and what it should.
func (e *UnfitError) Error() string {
	return fmt.Sprintf("%s can't keep datasets: %s, so that two Pods could write over each other's rows; "+
		"take a store that honours If-None-Match and If-Match, or a version of this one that does", e.Store, e.Does)
}

// Is says that it is objects.ErrUnfit.
func (e *UnfitError) Is(target error) bool { return target == objects.ErrUnfit }

// Probe finds out whether the store honours the conditions that datasets need, by writing an object of its own into a folder. A store that
// doesn't is an UnfitError; other errors say that it can't be written, or read. A kill may leave the object.
func (v *Volume) Probe(folder string) error {
	p := &probe{client: v.client, key: v.key(folder + "/probe-" + rand.Text())}
	err := p.run()
	if err == nil || errors.Is(err, objects.ErrUnfit) { // else it would only take longer to say
		err = cmp.Or(err, p.client.remove(p.key))
	}
	return v.named("probe", folder, err)
}

type probe struct {
	client *client
	key    string
	// content is what the object has, if the store does what it should.
	content []byte
	tag     string
}

// run tries each kind of write once where it must be done, and once where it must be refused.
func (p *probe) run() error {
	for _, step := range []struct {
		when    func() condition
		parts   bool
		refused bool
		does    string
	}{
		{when: p.absent, does: "refuses to create an object that is not there"},
		{when: p.absent, refused: true, does: "replaces an object that a write with If-None-Match must leave alone"},
		{when: p.other, refused: true, does: "replaces an object that is another one than If-Match names"},
		{when: p.same, does: "refuses to replace an object that is the one that If-Match names"},
		{when: p.absent, parts: true, refused: true,
			does: "replaces an object that an upload in parts with If-None-Match must leave alone"},
		{when: p.other, parts: true, refused: true, does: "replaces an object by an upload in parts that is another one than If-Match names"},
		{when: p.same, parts: true, does: "refuses an upload in parts for an object that is the one that If-Match names"},
	} {
		content := []byte(rand.Text())
		tag, err := p.write(content, step.when(), step.parts)
		switch refused := errors.Is(err, errRefused); {
		case errors.Is(err, errors.ErrUnsupported):
			return p.unfit("does not know such a write: " + err.Error())
		case err != nil && !refused:
			return err
		case refused != step.refused:
			return p.unfit(step.does)
		case !refused && tag == p.tag: // or both are empty
			return p.unfit("does not tell an object from the one that it has replaced (by its ETag)")
		case !refused:
			p.content, p.tag = content, tag
		}
		if err := p.look(); err != nil {
			return err
		}
	}
	return p.listed()
}

func (p *probe) absent() condition { return condition{absent: true} }

func (p *probe) same() condition { return condition{tag: p.tag} }

// other is the tag of an object that never was.
func (p *probe) other() condition { return condition{tag: `"00000000000000000000000000000000"`} }

func (p *probe) unfit(does string) error {
	return &UnfitError{Store: p.client.name(), Does: "it " + does}
}

// write writes the object, whole or in parts, however small.
func (p *probe) write(content []byte, when condition, parts bool) (string, error) {
	if !parts {
		return p.client.put(p.key, content, when)
	}
	upload, err := p.client.beginUpload(p.key)
	if err != nil {
		return "", err
	}
	part, err := p.client.sendPart(p.key, upload, 1, content)
	if err != nil {
		return "", err
	}
	tag, repeated, err := p.client.completeUpload(p.key, upload, []types.CompletedPart{part}, when)
	if err != nil {
		p.client.abortUpload(p.key, upload)
	}
	return p.client.judge(p.key, content, tag, repeated, err)
}

// look holds what is there to what must be.
func (p *probe) look() error {
	found, _, err := p.client.get(p.key)
	if errors.Is(err, fs.ErrNotExist) {
		return p.unfit("loses an object when a write to it is refused")
	}
	if err != nil {
		return err
	}
	if !slices.Equal(found, p.content) {
		return p.unfit("gives back another object than the last one that was written")
	}
	tag, err := p.client.tag(p.key)
	if err == nil && tag != p.tag {
		return p.unfit("names an object otherwise than it did when it was written (its ETag)")
	}
	return err
}

// listed holds a listing to what was written.
func (p *probe) listed() error {
	found := false
	err := p.client.list(p.key, false, func(key string, _ bool) { found = found || key == p.key })
	if err == nil && !found {
		return p.unfit("does not list an object that was written")
	}
	return err
}
