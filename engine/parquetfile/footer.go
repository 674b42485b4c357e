package parquetfile

import (
	"encoding/binary"
	"errors"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// The types below are those of the format with the two marks that the library does not know.
type (
	statistics struct {
		Max             []byte            `thrift:"1"`
		Min             []byte            `thrift:"2"`
		NullCount       int64             `thrift:"3,writezero"`
		DistinctCount   int64             `thrift:"4"`
		MaxValue        []byte            `thrift:"5"`
		MinValue        []byte            `thrift:"6"`
		IsMaxValueExact thrift.Null[bool] `thrift:"7,optional"`
		IsMinValueExact thrift.Null[bool] `thrift:"8,optional"`
	}

	columnMetaData struct {
		Type                  format.Type                            `thrift:"1,required"`
		Encoding              thrift.Slice[format.Encoding]          `thrift:"2,required"`
		PathInSchema          thrift.Slice[string]                   `thrift:"3,required"`
		Codec                 format.CompressionCodec                `thrift:"4,required"`
		NumValues             int64                                  `thrift:"5,required"`
		TotalUncompressedSize int64                                  `thrift:"6,required"`
		TotalCompressedSize   int64                                  `thrift:"7,required"`
		KeyValueMetadata      thrift.Slice[format.KeyValue]          `thrift:"8,optional"`
		DataPageOffset        int64                                  `thrift:"9,required"`
		IndexPageOffset       int64                                  `thrift:"10,optional"`
		DictionaryPageOffset  int64                                  `thrift:"11,optional"`
		Statistics            statistics                             `thrift:"12,optional,writezero"`
		EncodingStats         thrift.Slice[format.PageEncodingStats] `thrift:"13,optional"`
		BloomFilterOffset     int64                                  `thrift:"14,optional"`
		BloomFilterLength     int32                                  `thrift:"15,optional"`
		SizeStatistics        format.SizeStatistics                  `thrift:"16,optional"`
	}

	columnChunk struct {
		FilePath          string         `thrift:"1,optional"`
		FileOffset        int64          `thrift:"2,required"`
		MetaData          columnMetaData `thrift:"3,optional"`
		OffsetIndexOffset int64          `thrift:"4,optional"`
		OffsetIndexLength int32          `thrift:"5,optional"`
		ColumnIndexOffset int64          `thrift:"6,optional"`
		ColumnIndexLength int32          `thrift:"7,optional"`
	}

	rowGroup struct {
		Columns             thrift.Slice[columnChunk]          `thrift:"1,required"`
		TotalByteSize       int64                              `thrift:"2,required"`
		NumRows             int64                              `thrift:"3,required"`
		SortingColumns      thrift.Slice[format.SortingColumn] `thrift:"4,optional"`
		FileOffset          int64                              `thrift:"5,optional"`
		TotalCompressedSize int64                              `thrift:"6,optional"`
		Ordinal             int16                              `thrift:"7,optional,writezero"`
	}

	fileMetaData struct {
		Version          int32                              `thrift:"1,required"`
		Schema           thrift.Slice[format.SchemaElement] `thrift:"2,required"`
		NumRows          int64                              `thrift:"3,required"`
		RowGroups        thrift.Slice[rowGroup]             `thrift:"4,required"`
		KeyValueMetadata thrift.Slice[format.KeyValue]      `thrift:"5,optional"`
		CreatedBy        string                             `thrift:"6,optional"`
		ColumnOrders     thrift.Slice[format.ColumnOrder]   `thrift:"7,optional"`
	}
)

// tailLength is the length of what stands behind the footer of a file: its length, and the magic number.
const tailLength = 8

// footerOf decodes the footer of a whole file, and says where it starts.
func footerOf(file []byte) (*fileMetaData, int, error) {
	if len(file) < tailLength {
		return nil, 0, errors.New("the file has no footer")
	}
	end := len(file) - tailLength
	length := binary.LittleEndian.Uint32(file[end:])
	if int64(length) > int64(end) {
		return nil, 0, errors.New("the footer is longer than the file")
	}
	var footer fileMetaData
	start := end - int(length)
	return &footer, start, thrift.Unmarshal(new(thrift.CompactProtocol), file[start:end], &footer)
}

// RowCount returns how many rows a whole file of this package says that it has.
func RowCount(file []byte) (int64, error) {
	footer, _, err := footerOf(file)
	if err != nil {
		return 0, err
	}
	return footer.NumRows, nil
}
