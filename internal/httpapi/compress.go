package httpapi

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// minCompressed is the shortest body that is compressed: a shorter one goes in one packet anyway.
const minCompressed = 1024

// compressible are the media types that get shorter. Problem documents never reach minCompressed.
var compressible = map[string]bool{
	"application/json":         true,
	"application/openapi+json": true,
	"application/openapi+yaml": true,
	"application/x-ndjson":     true,
	"text/csv":                 true,
	"text/html":                true,
	"text/plain":               true,
}

// The encodings, the preferred one first. Both run at their fastest: the network is near and the processor shared.
const (
	encodingZstd = "zstd"
	encodingGzip = "gzip"
)

// encoder compresses a stream.
type encoder interface {
	io.WriteCloser
	Flush() error
}

var (
	gzipWriters = sync.Pool{New: func() any {
		w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // errors are about the level
		return w
	}}
	zstdWriters = sync.Pool{New: func() any { return newZstd() }}
)

// newZstd returns an encoder that starts no goroutines. Its errors are about options.
func newZstd() *zstd.Encoder {
	w, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(256<<10), zstd.WithLowerEncoderMem(true))
	return w
}

// pooledEncoder goes back to its pool when it is closed.
type pooledEncoder struct {
	encoder
	release func()
}

func (p pooledEncoder) Close() error {
	err := p.encoder.Close()
	p.release()
	return err
}

func newEncoder(encoding string, w io.Writer) encoder {
	if encoding == encodingZstd {
		e := zstdWriters.Get().(*zstd.Encoder)
		e.Reset(w)
		return pooledEncoder{e, func() { e.Reset(nil); zstdWriters.Put(e) }}
	}
	e := gzipWriters.Get().(*gzip.Writer)
	e.Reset(w)
	return pooledEncoder{e, func() { e.Reset(nil); gzipWriters.Put(e) }}
}

// compressed is a body in a buffer that is used again.
type compressed struct {
	bytes  []byte
	buffer *bytes.Buffer
}

var compressBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (c compressed) release() {
	if c.buffer.Cap() <= maxPooled {
		compressBuffers.Put(c.buffer)
	}
}

func compress(encoding string, body []byte) compressed {
	buffer := compressBuffers.Get().(*bytes.Buffer)
	buffer.Reset()
	if encoding == encodingZstd {
		e := zstdWriters.Get().(*zstd.Encoder)
		buffer.Grow(len(body) / 2)
		out := e.EncodeAll(body, buffer.AvailableBuffer())
		zstdWriters.Put(e)
		return compressed{out, buffer}
	}
	e := newEncoder(encoding, buffer)
	_, _ = e.Write(body) // a buffer takes everything
	_ = e.Close()
	return compressed{buffer.Bytes(), buffer}
}

// negotiate returns the encoding that an Accept-Encoding header prefers among ours, or "" for none.
func negotiate(accept string) string {
	if accept == "" {
		return ""
	}
	best, bestWeight := "", 0.0
	for _, encoding := range [...]string{encodingZstd, encodingGzip} {
		if weight := weightOf(accept, encoding); weight > bestWeight {
			best, bestWeight = encoding, weight
		}
	}
	return best
}

// weightOf returns the weight that the header gives an encoding, 0 if it is not accepted.
func weightOf(accept, encoding string) float64 {
	weight, others := 0.0, 0.0
	named := false
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(part, ";")
		name = strings.TrimSpace(name)
		w := 1.0
		if key, value, ok := strings.Cut(strings.TrimSpace(params), "="); ok && strings.EqualFold(strings.TrimSpace(key), "q") {
			parsed, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil || !(parsed >= 0 && parsed <= 1) {
				parsed = 0
			}
			w = parsed
		}
		switch {
		case strings.EqualFold(name, encoding):
			weight, named = w, true
		case name == "*":
			others = w
		}
	}
	if named {
		return weight
	}
	return others
}
