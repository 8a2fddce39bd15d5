package blob_test

import (
	"crypto/sha256"
	"io"
	"testing"

	"portaldb/internal/blob"
)

// BenchmarkFolder_Put is an upload as the portal makes it: random bytes, hashed while they are copied.
func BenchmarkFolder_Put(b *testing.B) {
	s := openAt(b, blob.Config{Root: b.TempDir()})
	path := s.Path("id", at)
	content := random(64 << 20)
	const times = 8
	b.SetBytes(times * int64(len(content)))
	for b.Loop() {
		var parts []io.Reader
		for range times {
			parts = append(parts, &slice{content})
		}
		if err := s.Put(b.Context(), path, io.TeeReader(io.MultiReader(parts...), sha256.New())); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Remove(b.Context(), path); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// slice reads from memory, and by no short cut.
type slice struct{ left []byte }

func (s *slice) Read(p []byte) (int, error) {
	if len(s.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.left)
	s.left = s.left[n:]
	return n, nil
}

// BenchmarkFolder_Open opens and closes one file.
func BenchmarkFolder_Open(b *testing.B) {
	s := openAt(b, blob.Config{Root: b.TempDir()})
	path := s.Path("id", at)
	put(b, s, path, random(10<<10))
	for b.Loop() {
		r, _, err := s.Open(b.Context(), path)
		if err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}
