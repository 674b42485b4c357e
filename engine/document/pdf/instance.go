package pdf

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf16"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// instance is PDFium with a memory of its own, for one document. The first error of a call is kept in it, and after that no call does
// anything.
type instance struct {
	ctx      context.Context // of the reading of the document
	module   api.Module
	memory   api.Memory
	known    [functions]api.Function
	stack    []uint64
	scratch  uint32 // scratchSize bytes of the memory for results
	document uint64
	err      error
}

const scratchSize = 4096

func (l *Library) start(ctx context.Context) (*instance, error) {
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize")
	module, err := l.runtime.InstantiateModule(withMemory(ctx), l.code, config)
	if err != nil {
		return nil, fmt.Errorf("starting PDFium: %w", err)
	}
	started := &instance{ctx: ctx, module: module, memory: module.Memory(), stack: make([]uint64, 16)}
	for i, name := range names {
		if started.known[i] = module.ExportedFunction(name); started.known[i] == nil {
			started.close()
			return nil, fmt.Errorf("starting PDFium: it has no %s", name)
		}
	}
	started.call(initLibrary)
	started.scratch = uint32(started.call(allocate, scratchSize))
	if started.err != nil || started.scratch == 0 {
		started.close()
		return nil, fmt.Errorf("starting PDFium: %w", started.err)
	}
	return started, nil
}

func (i *instance) close() { _ = i.module.Close(i.ctx) } // its memory is gone either way

// call calls a function. Its result is 0 where it has none, or has failed.
func (i *instance) call(what function, arguments ...uint64) uint64 {
	if i.err != nil {
		return 0
	}
	i.stack[0] = 0
	copy(i.stack, arguments)
	if err := i.known[what].CallWithStack(i.ctx, i.stack); err != nil {
		i.err = fmt.Errorf("%s: %w", names[what], err)
		return 0
	}
	return i.stack[0]
}

// number calls a function whose result is a signed number.
func (i *instance) number(what function, arguments ...uint64) int {
	return int(int32(uint32(i.call(what, arguments...))))
}

// isTrue calls a function whose result is a truth value.
func (i *instance) isTrue(what function, arguments ...uint64) bool {
	return uint32(i.call(what, arguments...)) != 0
}

// at is an address of the scratch memory: that of the number with an index, of four bytes.
func (i *instance) at(index int) uint64 { return uint64(i.scratch) + 4*uint64(index) }

// real is a number of the scratch memory.
func (i *instance) real(index int) float64 {
	value, _ := i.memory.ReadFloat32Le(uint32(i.at(index)))
	return float64(value)
}

func (i *instance) whole(index int) uint32 {
	value, _ := i.memory.ReadUint32Le(uint32(i.at(index)))
	return value
}

// text calls a function that writes a text in UTF-16 to the scratch memory, and returns how many bytes it has with the zero at its end. A
// longer one is empty.
func (i *instance) text(what function, of uint64) string {
	size := i.number(what, of, i.at(0), scratchSize)
	if size < 2 || size > scratchSize {
		return ""
	}
	data, _ := i.memory.Read(i.scratch, uint32(size)-2)
	units := make([]uint16, len(data)/2)
	for at := range units {
		units[at] = binary.LittleEndian.Uint16(data[2*at:])
	}
	return string(utf16.Decode(units))
}

// put copies bytes to the memory. The address is 0 where there is no room for them.
func (i *instance) put(data []byte) uint64 {
	address := i.call(allocate, uint64(len(data)))
	if address != 0 && !i.memory.Write(uint32(address), data) {
		return 0
	}
	return address
}

// box is a rectangle; the vertical axis leads upwards.
type box struct{ left, bottom, right, top float64 }

func (b box) width() float64  { return b.right - b.left }
func (b box) height() float64 { return b.top - b.bottom }

// area is 0 for a box that is none.
func (b box) area() float64 { return max(0, b.width()) * max(0, b.height()) }

func (b box) center() (x, y float64) { return (b.left + b.right) / 2, (b.bottom + b.top) / 2 }

func (b box) contains(x, y float64) bool {
	return x >= b.left && x <= b.right && y >= b.bottom && y <= b.top
}

func (b box) with(other box) box {
	return box{min(b.left, other.left), min(b.bottom, other.bottom), max(b.right, other.right), max(b.top, other.top)}
}

// sound says that all sides are numbers.
func (b box) sound() bool { return !math.IsNaN(b.left + b.bottom + b.right + b.top) }

// turned is the box on a page that is shown turned clockwise by so many quarters.
func (b box) turned(quarters int) box {
	switch quarters & 3 {
	case 1:
		return box{b.bottom, -b.right, b.top, -b.left}
	case 2:
		return box{-b.right, -b.top, -b.left, -b.bottom}
	case 3:
		return box{-b.top, b.left, -b.bottom, b.right}
	}
	return b
}

// matrix is how coordinates become others.
type matrix struct{ a, b, c, d, e, f float64 }

func (m matrix) apply(from box) box {
	x1, x2 := m.a*from.left, m.a*from.right
	x3, x4 := m.c*from.bottom, m.c*from.top
	y1, y2 := m.b*from.left, m.b*from.right
	y3, y4 := m.d*from.bottom, m.d*from.top
	return box{
		min(x1, x2) + min(x3, x4) + m.e, min(y1, y2) + min(y3, y4) + m.f, max(x1, x2) + max(x3, x4) + m.e, max(y1, y2) + max(y3, y4) + m.f,
	}
}

// after is the matrix that does what another does first.
func (m matrix) after(first matrix) matrix {
	return matrix{
		first.a*m.a + first.b*m.c, first.a*m.b + first.b*m.d, first.c*m.a + first.d*m.c, first.c*m.b + first.d*m.d,
		first.e*m.a + first.f*m.c + m.e, first.e*m.b + first.f*m.d + m.f,
	}
}

// scratchMatrix is a matrix of the scratch memory.
func (i *instance) scratchMatrix() matrix {
	return matrix{i.real(0), i.real(1), i.real(2), i.real(3), i.real(4), i.real(5)}
}
