package parquetfile_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"seedloom.dev/seedloom/engine/parquetfile"
)

type checked struct {
	ID   int64  `parquet:"id"`
	Note string `parquet:"note,dict"`
}

// checkedFile is a file of two row groups, each of 300 rows in several pages without compression, with checksums.
func checkedFile(t *testing.T, version int) []byte {
	t.Helper()
	var file bytes.Buffer
	writer := parquet.NewGenericWriter[checked](&file, parquet.DataPageVersion(version), parquet.PageBufferSize(512),
		parquet.Compression(&parquet.Uncompressed))
	for group := range 2 {
		for row := range 300 {
			note := fmt.Sprintf("note %d of row group %d", row%7, group)
			if _, err := writer.Write([]checked{{ID: int64(300*group + row), Note: note}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := writer.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestADamagedPageIsAnError changes one bit of a page that no decoder would miss: a value, and a text of a dictionary.
func TestADamagedPageIsAnError(t *testing.T) {
	for version := 1; version <= 2; version++ {
		whole := checkedFile(t, version)
		if _, rows, err := parquetfile.Read(bytes.NewReader(whole), int64(len(whole))); err != nil || len(rows) != 600 {
			t.Fatalf("version %d: %d rows: %v", version, len(rows), err)
		}
		for _, test := range []struct{ damaged, column, group string }{
			{"\x2b\x02\x00\x00\x00\x00\x00\x00", "id", "2"}, // row 555
			{"\x07\x00\x00\x00\x00\x00\x00\x00\x08", "id", "1"},
			{"note 6 of row group 1", "note", "2"},
			{"note 6 of row group 0", "note", "1"},
		} {
			data := bytes.Clone(whole)
			at := bytes.Index(data, []byte(test.damaged))
			if at < 0 {
				t.Fatalf("%q is not in the file", test.damaged)
			}
			data[at] ^= 0x10
			_, _, err := parquetfile.Read(bytes.NewReader(data), int64(len(data)))
			for _, want := range []string{fmt.Sprintf("column %q, row ", test.column), "in row group " + test.group + " is damaged: its checksum is "} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("version %d, %q damaged: %v, want %q", version, test.damaged, err, want)
				}
			}
		}
	}
}

// TestOurOwnFilesHaveChecksums is of the files of a dataset, which may be the seed of another.
func TestOurOwnFilesHaveChecksums(t *testing.T) {
	data := write(t, everything, sampleRows())
	found := 0
	for at := 4; at < len(data)/2; at += 13 {
		damaged := bytes.Clone(data)
		damaged[at] ^= 0x01
		_, _, err := parquetfile.Read(bytes.NewReader(damaged), int64(len(damaged)))
		if err != nil && strings.Contains(err.Error(), "is damaged: its checksum is") {
			found++
		}
	}
	if found < 10 {
		t.Errorf("a checksum has told %d bits", found)
	}
}
