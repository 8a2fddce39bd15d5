// Package blob keeps the bytes of uploaded files: in a folder, or in a store that speaks S3.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"
)

// SetAside is the folder inside each store that Store.SetAside moves bytes to. Nothing below it is served or listed.
const SetAside = "set-aside"

// Limits of a path, so that also the name of its unfinished bytes fits file systems and S3.
const (
	maxPath    = 1000 // bytes below the root
	maxElement = 240  // bytes
)

// Chunk sizes in bytes.
const (
	defaultChunkSize = 1 << 20
	minChunkSize     = 4 << 10
	maxChunkSize     = 64 << 20
)

// ErrOutside says that a path does not lie in the store, or leaves it by a symbolic link, or names no plain file.
var ErrOutside = errors.New("the path leads to no file of the store")

// Marker is the name of what Root.Mark leaves in the root of a store.
const Marker = ".portaldb-store"

// ErrOtherStore says that a root has another marker than the one that is expected there, or none.
var ErrOtherStore = errors.New("it is not the store that is expected there")

// ErrTooLarge says that a file is larger than the store can keep.
var ErrTooLarge = errors.New("the file is larger than the store can keep")

// ErrUnknown says that a file may turn up later that Put could not say it has kept: the answer of the store was lost.
var ErrUnknown = errors.New("whether the store has kept the file is not known")

// Root is one place where a store keeps bytes, and can be known again by its marker: a folder whose file system is not
// mounted has none, and one that two machines do not share has another one on each.
type Root interface {
	// String is what every path in it begins with.
	String() string
	// Marker returns what Mark has left, or "" if nothing has.
	Marker(ctx context.Context) (string, error)
	// Mark leaves a marker, durably. The error is fs.ErrExist if one is there, fs.ErrPermission or syscall.EROFS if nothing can be
	// written there.
	Mark(ctx context.Context, marker string) error
	// Expect has the store fail with ErrOtherStore from now on where the root is a folder without this marker: Open only
	// instead of fs.ErrNotExist, everything else at once. A bucket does not turn into another one, so it is not looked at.
	Expect(marker string)
}

// Store keeps the bytes of files, each under a path, which is what fileshare_items.path holds. Its methods may be called
// at once, by many processes. Errors other than those named say that the store could not do it now, and none of them
// means that a file is missing.
type Store interface {
	// Path tells where the bytes of a new file go: root/YYYY/MM/DD/id, by the date of at in UTC.
	Path(id string, at time.Time) string
	// Owns tells whether the path, as it is written, lies in this store: the root as it is set, and no element that is
	// empty, begins with a dot or keeps bytes set aside. It does not look whether something is there.
	Owns(path string) bool
	// Put keeps what r gives under the path: all of it, and durable, when it returns nil. Otherwise nothing is to be
	// seen there, and what it left, if the process died, is unfinished. The error is fs.ErrExist if something is there,
	// ErrOutside, ErrTooLarge, ErrUnknown, or what r returned.
	Put(ctx context.Context, path string, r io.Reader) error
	// Open returns the bytes of a path: of a folder as an *os.File, which goes on when the file is removed meanwhile; of
	// S3 as a reader that ctx bounds and that fails then. The error is fs.ErrNotExist, or ErrOutside.
	Open(ctx context.Context, path string) (io.ReadSeekCloser, Info, error)
	// Remove removes the bytes of a path, and what an unfinished Put left; that nothing is there is no error. A Put that
	// is under way, also one that was frozen and goes on later, fails or is seen by the next Remove.
	Remove(ctx context.Context, path string) error
	// SetAside moves the bytes of a path, and what an unfinished Put left (S3 cannot keep that), below the folder SetAside
	// of the store, where nothing serves them; nothing there is overwritten. That nothing is there is no error.
	SetAside(ctx context.Context, path string) error
	// All lists the store without what is set aside: the finished files in byte order of their paths, unfinished ones
	// anywhere between. What appears or goes meanwhile may be missing. After an error, which is the last, the listing is
	// not whole. Memory grows with the largest folder alone.
	All(ctx context.Context) iter.Seq2[Entry, error]
	// Check tells why the store cannot be used now: whether it is there and takes and gives up a file.
	Check(ctx context.Context) error
	// Roots are where the bytes lie.
	Roots() []Root
}

// Info is what a store knows of a file. Size is in bytes.
type Info struct {
	Size    int64
	ModTime time.Time
}

// Entry is a file of a listing. An unfinished one is what a Put left that is still busy or has died; its path is the one
// it was meant for, so that Remove takes it.
type Entry struct {
	Path       string
	Size       int64
	ModTime    time.Time
	Unfinished bool
}

// Config says where bytes are kept. Env is where the credentials of S3 and its default region are looked for, under the
// names that AWS gave them. ChunkSize is in bytes; 0 stands for 1 MiB.
type Config struct {
	Root      string // UPLOAD_ROOT: a folder, or s3://bucket?endpoint=...&region=...
	OldRoot   string // UPLOAD_OLD_ROOT: where files lay before, or ""
	ChunkSize int    // UPLOAD_CHUNK_SIZE
	Env       map[string]string
}

// Set is a Store over a store for new files and one where files lay before, which gets none.
type Set struct {
	stores []place // the first takes new files
}

// place is a store that has one root: itself.
type place interface {
	Store
	Root
}

var _ Store = (*Set)(nil)

// Open reads the settings. It looks neither at the disk nor at the network, Check does. Its errors name the setting, say
// what it takes, and repeat no value.
func Open(cfg Config) (*Set, error) {
	if cfg.ChunkSize == 0 {
		cfg.ChunkSize = defaultChunkSize
	}
	if cfg.ChunkSize < minChunkSize || cfg.ChunkSize > maxChunkSize {
		return nil, fmt.Errorf("UPLOAD_CHUNK_SIZE takes a number of bytes from %d to %d", minChunkSize, maxChunkSize)
	}
	first, err := openStore("UPLOAD_ROOT", cfg.Root, cfg)
	if err != nil {
		return nil, err
	}
	set := &Set{stores: []place{first}}
	if cfg.OldRoot != "" {
		old, err := openStore("UPLOAD_OLD_ROOT", cfg.OldRoot, cfg)
		if err != nil {
			return nil, err
		}
		// A file in both would be listed twice, and its row found once.
		if a, b := first.String(), old.String(); strings.HasPrefix(a, b) || strings.HasPrefix(b, a) {
			return nil, errors.New("UPLOAD_OLD_ROOT takes a place that neither is UPLOAD_ROOT nor lies in it or around it")
		}
		set.stores = append(set.stores, old)
	}
	return set, nil
}

func openStore(setting, root string, cfg Config) (place, error) {
	if strings.HasPrefix(root, "s3://") {
		return newS3(setting, root, cfg.Env)
	}
	return newFolder(setting, root, cfg.ChunkSize)
}

// within returns what a path has below the root, if Store.Owns it.
func within(root, path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, root)
	if !ok || len(rest) > maxPath || strings.ContainsRune(rest, 0) || !utf8.ValidString(rest) {
		return "", false
	}
	for i, element := range strings.Split(rest, "/") {
		if element == "" || element[0] == '.' || len(element) > maxElement || i == 0 && kept(element) {
			return "", false
		}
	}
	return rest, true
}

// kept tells whether what lies below a folder of the root is none of the store's files: set aside, or found by fsck(8).
func kept(folder string) bool { return folder == SetAside || folder == "lost+found" }

// dated is the path of a new file below the root.
func dated(id string, at time.Time) string { return at.UTC().Format("2006/01/02/") + id }

// owner returns the store that a path lies in.
func (s *Set) owner(path string) (Store, error) {
	for _, store := range s.stores {
		if store.Owns(path) {
			return store, nil
		}
	}
	return nil, ErrOutside
}

// Path is that of the store for new files.
func (s *Set) Path(id string, at time.Time) string { return s.stores[0].Path(id, at) }

// Owns tells whether the path lies in one of the stores.
func (s *Set) Owns(path string) bool {
	_, err := s.owner(path)
	return err == nil
}

// Put takes paths of the store for new files alone.
func (s *Set) Put(ctx context.Context, path string, r io.Reader) error {
	return s.stores[0].Put(ctx, path, r)
}

// Open opens in the store that the path lies in.
func (s *Set) Open(ctx context.Context, path string) (io.ReadSeekCloser, Info, error) {
	store, err := s.owner(path)
	if err != nil {
		return nil, Info{}, err
	}
	return store.Open(ctx, path)
}

// Remove removes from the store that the path lies in.
func (s *Set) Remove(ctx context.Context, path string) error {
	store, err := s.owner(path)
	if err != nil {
		return err
	}
	return store.Remove(ctx, path)
}

// SetAside moves within the store that the path lies in.
func (s *Set) SetAside(ctx context.Context, path string) error {
	store, err := s.owner(path)
	if err != nil {
		return err
	}
	return store.SetAside(ctx, path)
}

// All lists one store after the other, in byte order of their roots.
func (s *Set) All(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		stores := s.stores
		if len(stores) == 2 && stores[1].String() < stores[0].String() {
			stores = []place{stores[1], stores[0]}
		}
		for _, store := range stores {
			for entry, err := range store.All(ctx) {
				if !yield(entry, err) || err != nil {
					return
				}
			}
		}
	}
}

// Check checks the store for new files, and whether the other one can be read.
func (s *Set) Check(ctx context.Context) error {
	err := s.stores[0].Check(ctx)
	for _, old := range s.stores[1:] {
		if _, unread := old.Marker(ctx); unread != nil {
			err = errors.Join(err, fmt.Errorf("UPLOAD_OLD_ROOT: %w", unread))
		}
	}
	return err
}

// Roots are those of both stores.
func (s *Set) Roots() []Root {
	var roots []Root
	for _, store := range s.stores {
		roots = append(roots, store)
	}
	return roots
}

// maxMarker bounds a marker, in bytes.
const maxMarker = 100

// readMarker reads a marker.
func readMarker(r io.Reader) (string, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxMarker+1))
	if err != nil {
		return "", err
	}
	marker := strings.TrimSpace(string(content))
	if len(content) > maxMarker || strings.ContainsFunc(marker, func(r rune) bool { return r < '!' || r > '~' }) {
		return "", fmt.Errorf("%s is no marker of a store: it takes one word in ASCII of at most %d bytes", Marker, maxMarker)
	}
	return marker, nil
}

// partName is the name that a file has until it is finished, and fileName gives back the file's.
func partName(name string) string { return "." + name + ".part" }

func fileName(part string) (string, bool) {
	name, dotted := strings.CutPrefix(part, ".")
	name, ends := strings.CutSuffix(name, ".part")
	return name, dotted && ends && name != ""
}

// absolute is a folder's setting as rows write it.
func absolute(setting, dir string) (string, error) {
	wrong := fmt.Errorf("%s takes a folder of its own, or s3://bucket?endpoint=https://host&region=name", setting)
	if dir == "" || strings.ContainsRune(dir, 0) || strings.Contains(dir, "://") {
		return "", wrong
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("%s: %w", setting, err)
	}
	if dir == "/" { // every file of the machine would be the store's
		return "", wrong
	}
	return dir, nil
}
