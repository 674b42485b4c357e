package seed

// maxEntries bounds the index: 16 MiB.
const maxEntries = 2 << 20

// index says where records begin. Beyond some number of records it knows every second, fourth, … of them only, so that its size is bounded.
type index struct {
	starts []int64
	// stride is from how many records one is known, count how many records there are.
	stride, count int64
	// end is where the last record ends.
	end int64
}

// add notes where the next record begins and ends. What is not part of any record may lie between them.
func (i *index) add(start, end int64) {
	if i.stride == 0 {
		i.stride = 1
	}
	if i.count%i.stride == 0 {
		if len(i.starts) == maxEntries {
			i.halve()
		}
		if i.count%i.stride == 0 {
			i.starts = append(i.starts, start)
		}
	}
	i.count++
	i.end = end
}

// halve forgets every second record that it knows.
func (i *index) halve() {
	half := (len(i.starts) + 1) / 2
	for entry := range half {
		i.starts[entry] = i.starts[2*entry]
	}
	i.starts = i.starts[:half]
	i.stride *= 2
}

// find returns a range of bytes in which a record lies, and how many records stand before it there.
func (i *index) find(record int64) (start, end, before int64) {
	entry := record / i.stride
	end = i.end
	if entry+1 < int64(len(i.starts)) {
		end = i.starts[entry+1]
	}
	return i.starts[entry], end, record % i.stride
}
