package sampler

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

var uuids = family{
	name: v1alpha1.SamplerUUID, member: "uuid", isSet: func(s *v1alpha1.Sampler) bool { return s.UUID != nil }, optional: true,
	validate: validateUUID, writeDefaults: writeUUIDDefaults, kind: always(table.KindString),
	draws:   func(s *v1alpha1.Sampler, _ site) drawFunc { return identifiers(s.UUID) },
	columns: func(s *v1alpha1.Sampler) columnFunc { return identifierColumn(s.UUID) },
}

// The digits of a UUID: how many there are, and how few may be kept of them.
const uuidDigits, minUUIDDigits = 32, 8

func validateUUID(spec *v1alpha1.Sampler) []Violation {
	var violations []Violation
	if spec.UUID == nil {
		return nil
	}
	if length := spec.UUID.Length; length != nil && (*length < minUUIDDigits || *length > uuidDigits) {
		violations = append(violations, Violation{"uuid.length",
			fmt.Sprintf("must be from %d to %d, but is %d", minUUIDDigits, uuidDigits, *length)})
	}
	switch spec.UUID.LetterCase {
	case "", v1alpha1.LetterCaseLower, v1alpha1.LetterCaseUpper:
	default:
		violations = append(violations, Violation{"uuid.letterCase", fmt.Sprintf("must be Lower or Upper, but is %q", spec.UUID.LetterCase)})
	}
	return violations
}

func writeUUIDDefaults(spec *v1alpha1.Sampler) {
	if spec.UUID == nil {
		spec.UUID = &v1alpha1.UUIDSampler{}
	}
	if spec.UUID.LetterCase == "" {
		spec.UUID.LetterCase = v1alpha1.LetterCaseLower
	}
	if spec.UUID.Length == nil {
		all := int32(uuidDigits)
		spec.UUID.Length = &all
	}
}

// identifiers draws version 4 UUIDs (RFC 9562): 122 random bits, so that two are never equal in practice.
func identifiers(spec *v1alpha1.UUIDSampler) drawFunc {
	draw, size := identifier(spec), len(spec.Prefix)+int(*spec.Length)
	return func(stream *random.Stream, _ *table.Record) (any, error) {
		return string(draw(stream, make([]byte, 0, size))), nil
	}
}

// identifier appends a UUID that is drawn.
func identifier(spec *v1alpha1.UUIDSampler) func(stream *random.Stream, to []byte) []byte {
	digits, prefix, length := "0123456789abcdef", spec.Prefix, int(*spec.Length)
	if spec.LetterCase == v1alpha1.LetterCaseUpper {
		digits = "0123456789ABCDEF"
	}
	return func(stream *random.Stream, to []byte) []byte {
		high, low := stream.Uint64(), stream.Uint64()
		high = high&^0xf000 | 0x4000
		low = low&^(3<<62) | 2<<62
		to = append(to, prefix...)
		if length == uuidDigits && spec.LetterCase != v1alpha1.LetterCaseUpper {
			var whole [uuidDigits / 2]byte
			binary.BigEndian.PutUint64(whole[:8], high)
			binary.BigEndian.PutUint64(whole[8:], low)
			return hex.AppendEncode(to, whole[:])
		}
		for i := range length {
			word := high
			if i >= 16 {
				word = low
			}
			to = append(to, digits[word>>(60-4*(i%16))&15])
		}
		return to
	}
}
