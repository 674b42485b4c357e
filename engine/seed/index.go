package seed

import "sort"

// maxEntries bounds the index: 16 MiB.
const maxEntries = 2 << 20

// index says where records begin, in one file or in several that follow each other. Beyond some number of records it knows every second,
// fourth, … of each file only, so that its size is bounded.
type index struct {
	parts []indexPart
	// entries counts the records of all parts that are known.
	entries int
	// stride is from how many records one is known, count how many records there are.
	stride, count int64
}

// indexPart are the records of one file.
type indexPart struct {
	// first is the number of the first record, end where the last one ends.
	first, end int64
	starts     []int64
}

// begin has the records that follow belong to another file.
func (i *index) begin() { i.parts = append(i.parts, indexPart{first: i.count}) }

// add notes where the next record begins and ends. What is not part of any record may lie between them.
func (i *index) add(start, end int64) {
	if i.stride == 0 {
		i.stride = 1
	}
	if len(i.parts) == 0 {
		i.begin()
	}
	part := &i.parts[len(i.parts)-1]
	if number := i.count - part.first; number%i.stride == 0 {
		if i.entries >= maxEntries {
			i.halve()
		}
		if number%i.stride == 0 {
			part.starts = append(part.starts, start)
			i.entries++
		}
	}
	i.count++
	part.end = end
}

// halve forgets every second record that it knows.
func (i *index) halve() {
	i.entries = 0
	for number := range i.parts {
		part := &i.parts[number]
		half := (len(part.starts) + 1) / 2
		for entry := range half {
			part.starts[entry] = part.starts[2*entry]
		}
		part.starts = part.starts[:half]
		i.entries += half
	}
	i.stride *= 2
}

// find returns a range of bytes in which a record lies, and how many records stand before it there.
func (i *index) find(record int64) (start, end, before int64) {
	number := sort.Search(len(i.parts), func(number int) bool { return i.parts[number].first > record }) - 1
	part := &i.parts[number]
	record -= part.first
	entry := record / i.stride
	end = part.end
	if entry+1 < int64(len(part.starts)) {
		end = part.starts[entry+1]
	}
	return part.starts[entry], end, record % i.stride
}
