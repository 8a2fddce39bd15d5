// Package blob keeps the bytes of files.
package blob

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// Store keeps the bytes of files, each under a path, which is what fileshare_items.path holds.
type Store interface {
	Path(id string, at time.Time) string
	Owns(path string) bool
	Put(ctx context.Context, path string, r io.Reader) error
	Open(ctx context.Context, path string) (io.ReadSeekCloser, Info, error)
	Remove(ctx context.Context, path string) error
	SetAside(ctx context.Context, path string) error
	All(ctx context.Context) iter.Seq2[Entry, error]
	Check(ctx context.Context) error
}

// Info is what is known of the bytes of a file.
type Info struct {
	Size    int64
	ModTime time.Time
}

// Entry is one thing in a store.
type Entry struct {
	Path       string
	Size       int64
	ModTime    time.Time
	Unfinished bool
}

// Errors of stores.
var (
	ErrExist   = errors.New("the path is taken")
	ErrOutside = errors.New("the path leaves the store")
)
