package blob_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// endless gives left bytes that are cheap to make and no two pages of which are alike.
type endless struct{ left, at int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), e.left)]
	for i := range p {
		x := uint64(e.at+int64(i)) >> 3 * 0x9e3779b97f4a7c15
		p[i] = byte(x >> (8 * (uint64(e.at+int64(i)) & 7)))
	}
	e.at, e.left = e.at+int64(len(p)), e.left-int64(len(p))
	return len(p), nil
}

// sameAs fails unless both give the same bytes.
func sameAs(a, b io.Reader) error {
	x, y := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, errA := io.ReadFull(a, x)
		m, errB := io.ReadFull(b, y)
		if n != m || !bytes.Equal(x[:n], y[:m]) {
			return errors.New("the bytes differ")
		}
		if errA != nil || errB != nil {
			for _, end := range []error{io.EOF, io.ErrUnexpectedEOF} { // the latter after a piece of the buffer
				if errors.Is(errA, end) && errors.Is(errB, end) {
					return nil
				}
			}
			return errors.Join(errA, errB)
		}
	}
}

// watchHeap measures the heap until the function it returns is called, which gives the most that it grew by, in bytes.
// Tests that use it do not run in parallel.
func watchHeap(t testing.TB) (peak func() uint64) {
	t.Helper()
	debug.FreeOSMemory()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	before, most := stats.HeapInuse, stats.HeapInuse
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			runtime.ReadMemStats(&stats)
			most = max(most, stats.HeapInuse)
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-done
		return most - before
	}
}
