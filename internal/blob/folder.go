package blob

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// writeAtOnce is how many bytes may wait before the disk begins with them.
const writeAtOnce = 8 << 20

// folder is a store in a folder. Each operation opens the root anew, so that a file system mounted later is seen, and
// reaches everything below it through os.Root, which no symbolic link leaves.
type folder struct {
	setting string
	root    string    // absolute, as it is set
	buffers sync.Pool // of *[]byte
	marker  atomic.Pointer[string]
	sync    func(*os.File) error // fsync
}

func newFolder(setting, dir string, chunkSize int) (*folder, error) {
	dir, err := absolute(setting, dir)
	if err != nil {
		return nil, err
	}
	return &folder{setting: setting, root: dir, sync: (*os.File).Sync, buffers: sync.Pool{New: func() any {
		buf := make([]byte, chunkSize)
		return &buf
	}}}, nil
}

// Path, see Store.
func (f *folder) Path(id string, at time.Time) string { return f.root + "/" + dated(id, at) }

// Owns, see Store.
func (f *folder) Owns(path string) bool {
	_, ok := within(f.root+"/", path)
	return ok
}

// Put writes a temporary file beside the path, brings it to the disk, and gives it its name.
func (f *folder) Put(ctx context.Context, p string, r io.Reader) (err error) {
	rel, ok := within(f.root+"/", p)
	if !ok {
		return ErrOutside
	}
	root, err := f.open()
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	if err := root.MkdirAll(path.Dir(rel), 0o755); err != nil {
		return explain(root, path.Dir(rel), err)
	}
	dir, err := root.OpenRoot(path.Dir(rel))
	if err != nil {
		return explain(root, path.Dir(rel), err)
	}
	defer func() { _ = dir.Close() }()

	name := path.Base(rel)
	if _, err := dir.Lstat(name); err == nil { // before the bytes are sent for nothing
		return fmt.Errorf("put a file: %w", fs.ErrExist)
	}
	part, err := dir.OpenFile(partName(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("put a file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = part.Close()
			_ = dir.Remove(partName(name))
		}
	}()
	if err := f.copy(ctx, part, r); err != nil {
		return err
	}
	if err := f.sync(part); err != nil {
		return fmt.Errorf("put a file: %w", err)
	}
	if err := part.Close(); err != nil {
		return fmt.Errorf("put a file: %w", err)
	}
	if err := rename(dir, partName(name), name); errors.Is(err, fs.ErrNotExist) {
		return errors.New("put a file: it was removed meanwhile")
	} else if err != nil {
		return fmt.Errorf("put a file: %w", err)
	}
	if err := f.syncUp(root, path.Dir(rel)); err != nil {
		_ = dir.Remove(name)
		return fmt.Errorf("put a file: %w", err)
	}
	return nil
}

// copy fills one buffer after the other: a part of a multipart body comes in far smaller pieces.
func (f *folder) copy(ctx context.Context, file *os.File, r io.Reader) error {
	buf := f.buffers.Get().(*[]byte)
	defer f.buffers.Put(buf)
	for started, size := int64(0), int64(0); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := fill(r, *buf)
		if err != nil && err != io.EOF { //nolint:errorlint // a reader ends with io.EOF itself
			return err
		}
		if _, err := file.Write((*buf)[:n]); err != nil {
			return fmt.Errorf("put a file: %w", err)
		}
		if size += int64(n); size-started >= writeAtOnce {
			startWriting(file, started, size-started)
			started = size
		}
		if err != nil {
			return nil
		}
	}
}

// fill reads until buf is full or r ends. Unlike io.ReadFull it keeps the error of r, so that bytes that were cut off are
// not taken for the last ones.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var more int
		more, err = r.Read(buf[n:])
		n += more
	}
	return n, err
}

// rename gives a file another name, unless that one is taken.
func rename(dir *os.Root, from, to string) error {
	err := dir.Link(from, to)
	switch {
	case err == nil:
		if err := dir.Remove(from); err != nil { // then someone has removed the file, or tries to
			_ = dir.Remove(to)
			return err
		}
		return nil
	case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist):
		return err
	}
	// Not every file system has links, and not every owner may make them.
	if _, err := dir.Lstat(to); err == nil {
		return fs.ErrExist
	}
	return dir.Rename(from, to)
}

// syncUp brings the entries of a folder to the disk, and those of the folders above it: whoever made them may not have.
func (f *folder) syncUp(root *os.Root, rel string) error {
	for {
		dir, err := root.Open(rel)
		if err != nil {
			return err
		}
		err = f.sync(dir)
		dir.Close()
		if err != nil || rel == "." {
			return err
		}
		rel = path.Dir(rel)
	}
}

// Open, see Store.
func (f *folder) Open(_ context.Context, p string) (io.ReadSeekCloser, Info, error) {
	file, info, err := f.openFile(p)
	if errors.Is(err, fs.ErrNotExist) { // or nothing is, because this is not the store
		root, other := f.open()
		if other != nil {
			return nil, Info{}, other
		}
		_ = root.Close()
	}
	return file, info, err
}

func (f *folder) openFile(p string) (io.ReadSeekCloser, Info, error) {
	dir, name, err := f.enter(p, f.openAny)
	if err != nil {
		return nil, Info{}, err
	}
	defer func() { _ = dir.Close() }()
	// Neither a link is followed, nor is a pipe waited for.
	if info, err := dir.Lstat(name); err != nil {
		return nil, Info{}, fmt.Errorf("open a file: %w", err)
	} else if !info.Mode().IsRegular() {
		return nil, Info{}, ErrOutside
	}
	file, err := dir.Open(name)
	if err != nil {
		return nil, Info{}, fmt.Errorf("open a file: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, Info{}, fmt.Errorf("open a file: %w", err)
	}
	return file, Info{Size: info.Size(), ModTime: info.ModTime()}, nil
}

// Remove takes the unfinished file first: a Put between two steps then fails instead of finishing behind its back.
func (f *folder) Remove(_ context.Context, p string) error {
	dir, name, err := f.enter(p, f.open)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	for _, name := range []string{partName(name), name} {
		info, err := dir.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && info.IsDir() {
			return ErrOutside
		}
		if err == nil {
			err = dir.Remove(name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // others remove too
			return fmt.Errorf("remove a file: %w", err)
		}
	}
	if err := f.syncUp(dir, "."); err != nil {
		return fmt.Errorf("remove a file: %w", err)
	}
	return nil
}

// SetAside, see Store.
func (f *folder) SetAside(_ context.Context, p string) error {
	dir, name, err := f.enter(p, f.open)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	root, err := f.open()
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for _, name := range []string{partName(name), name} {
		info, err := dir.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && info.IsDir() {
			return ErrOutside
		}
		if err == nil {
			err = f.setAside(root, path.Join(path.Dir(strings.TrimPrefix(p, f.root+"/")), name))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("set a file aside in %s/%s: %w", f.root, SetAside, err)
		}
	}
	if err := f.syncUp(dir, "."); err != nil {
		return fmt.Errorf("set a file aside: %w", err)
	}
	return nil
}

func (f *folder) setAside(root *os.Root, rel string) error {
	to := path.Join(SetAside, rel)
	if err := root.MkdirAll(path.Dir(to), 0o755); err != nil {
		return err
	}
	err := rename(root, rel, to)
	for i := 1; errors.Is(err, fs.ErrExist); i++ {
		err = rename(root, rel, to+"."+strconv.Itoa(i))
	}
	if err != nil {
		return err
	}
	return f.syncUp(root, path.Dir(to))
}

// All, see Store.
func (f *folder) All(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		root, err := f.open()
		if err != nil {
			yield(Entry{}, err)
			return
		}
		defer func() { _ = root.Close() }()
		f.list(ctx, root, "", yield)
	}
}

// list yields what lies in dir, whose path below the root is rel. It tells whether to go on.
func (f *folder) list(ctx context.Context, dir *os.Root, rel string, yield func(Entry, error) bool) bool {
	fail := func(err error) bool {
		if errors.Is(err, fs.ErrNotExist) { // it went meanwhile
			return true
		}
		yield(Entry{}, fmt.Errorf("list %s: %w", f.root, err))
		return false
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	opened, err := dir.Open(".")
	if err != nil {
		return fail(err)
	}
	names, err := opened.ReadDir(-1)
	opened.Close()
	if err != nil {
		return fail(err)
	}
	// The order of whole paths: a folder sorts as its name with the slash.
	key := func(e fs.DirEntry) string {
		if name, unfinished := fileName(e.Name()); unfinished {
			return name
		}
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(names, func(a, b fs.DirEntry) int { return cmp.Compare(key(a), key(b)) })
	for _, e := range names {
		name, unfinished := fileName(e.Name())
		if !unfinished {
			name = e.Name()
		}
		p := rel + name
		if _, ok := within("", p); !ok {
			continue
		}
		if e.IsDir() && !unfinished {
			below, err := dir.OpenRoot(name)
			if err != nil {
				if !fail(err) {
					return false
				}
				continue
			}
			more := f.list(ctx, below, p+"/", yield)
			_ = below.Close()
			if !more {
				return false
			}
			continue
		}
		info, err := dir.Lstat(e.Name())
		if err != nil {
			if !fail(err) {
				return false
			}
			continue
		}
		if !info.Mode().IsRegular() {
			continue
		}
		if !yield(Entry{Path: f.root + "/" + p, Size: info.Size(), ModTime: info.ModTime(), Unfinished: unfinished}, nil) {
			return false
		}
	}
	return true
}

// Check, see Store.
func (f *folder) Check(context.Context) error {
	uid := os.Geteuid()
	info, err := os.Stat(f.root)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %s does not exist: install -d -m 0750 -o %d %s, or name another folder", f.setting, f.root, uid, f.root)
	case err != nil:
		return fmt.Errorf("%s: %w: let uid %d enter it, or name another folder", f.setting, err, uid)
	case !info.IsDir():
		return fmt.Errorf("%s: %s is no folder: name one", f.setting, f.root)
	}
	file, err := os.CreateTemp(f.root, ".portaldb-check-*")
	if err != nil {
		return fmt.Errorf("%s: uid %d cannot write there: %w: chown %d %s, mount it writable or make room", f.setting, uid, err, uid, f.root)
	}
	file.Close()
	if err := os.Remove(file.Name()); err != nil {
		return fmt.Errorf("%s: a file cannot be removed again: %w", f.setting, err)
	}
	return nil
}

// Roots, see Store.
func (f *folder) Roots() []Root { return []Root{f} }

// String, see Root.
func (f *folder) String() string { return f.root + "/" }

// Marker, see Root.
func (f *folder) Marker(context.Context) (string, error) {
	root, err := f.openAny()
	if err != nil {
		return "", err
	}
	defer func() { _ = root.Close() }()
	return f.markerOf(root)
}

func (f *folder) markerOf(root *os.Root) (string, error) {
	file, err := root.Open(Marker)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("see which store is in %s: %w", f.root, err)
	}
	defer file.Close()
	marker, err := readMarker(file)
	if err != nil {
		return "", fmt.Errorf("see which store is in %s: %w", f.root, err)
	}
	return marker, nil
}

// Mark, see Root.
func (f *folder) Mark(_ context.Context, marker string) (err error) {
	root, err := f.openAny()
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	defer func() {
		if err != nil {
			err = fmt.Errorf("mark the store in %s: %w", f.root, err)
		}
	}()
	part := Marker + "." + rand.Text()
	file, err := root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = root.Remove(part) }() // that it is gone is how it should be
	_, err = file.WriteString(marker + "\n")
	err = cmp.Or(err, f.sync(file))
	if err := cmp.Or(err, file.Close()); err != nil {
		return err
	}
	if err := rename(root, part, Marker); err != nil {
		return err
	}
	return f.syncUp(root, ".")
}

// Expect, see Root.
func (f *folder) Expect(marker string) { f.marker.Store(&marker) }

// open opens the root if it is the store that is expected there.
func (f *folder) open() (*os.Root, error) {
	root, err := f.openAny()
	if err != nil {
		return nil, err
	}
	if want := f.marker.Load(); want != nil {
		if got, err := f.markerOf(root); err != nil || got != *want {
			_ = root.Close()
			return nil, cmp.Or(err, fmt.Errorf("%s: %w: %s there should be %s: see whether its file system is mounted", f.root, ErrOtherStore, Marker, *want))
		}
	}
	return root, nil
}

// openAny opens the root. That it is not there says nothing of a file, so the error is not fs.ErrNotExist.
func (f *folder) openAny() (*os.Root, error) {
	root, err := os.OpenRoot(f.root)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be opened: %v: see whether its file system is mounted", f.setting, err) //nolint:errorlint // see above
	}
	return root, nil
}

// enter opens the folder that a path lies in, and returns the file's name there.
func (f *folder) enter(p string, open func() (*os.Root, error)) (*os.Root, string, error) {
	rel, ok := within(f.root+"/", p)
	if !ok {
		return nil, "", ErrOutside
	}
	root, err := open()
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = root.Close() }()
	dir, err := root.OpenRoot(path.Dir(rel))
	if err != nil {
		return nil, "", explain(root, path.Dir(rel), err)
	}
	return dir, path.Base(rel), nil
}

// explain tells by ErrOutside that the way to a folder leads over a link or a file.
func explain(root *os.Root, rel string, err error) error {
	for ; rel != "."; rel = path.Dir(rel) {
		if info, err := root.Lstat(rel); err == nil && !info.IsDir() {
			return ErrOutside
		}
	}
	return err
}
