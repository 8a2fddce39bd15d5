package portal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"portaldb/db"
	"portaldb/internal/blob"
)

// recognized is how many of the newest files are looked for in a root that is not known yet.
const recognized = 20

// Attach makes sure that the roots of the store are the places that the database knows them for, by the markers in them, and
// has the store hold on to that. A root that is seen for the first time gets a marker, unless files should be there and none of
// the newest is, or nothing can be written there, so that nothing can be removed either. CodeUnavailable if a root is another
// place, or cannot be looked at: its file system may not be mounted.
//
// What stores and removes bytes attaches by itself; to read them needs no marker.
func (f *Files) Attach(ctx context.Context) error { return f.attach(ctx, f.cfg.Store.Roots()) }

// attachFirst is Attach for the root of new files alone, unless that has been done.
func (f *Files) attachFirst(ctx context.Context) error {
	if f.attached.Load() {
		return nil
	}
	roots := f.cfg.Store.Roots()
	return f.attach(ctx, roots[:min(1, len(roots))])
}

// attach attaches roots, of which the one for new files is the first.
func (f *Files) attach(ctx context.Context, roots []blob.Root) error {
	for _, root := range roots {
		marker, err := f.identify(ctx, root)
		if err != nil {
			if ErrorCode(err) != CodeInternal {
				return err
			}
			return &Error{Code: CodeUnavailable, Message: "the place of the files cannot be used as it is", Err: err}
		}
		if marker != "" {
			root.Expect(marker)
		}
		f.attached.Store(true)
	}
	return nil
}

// CheckRoots is Attach that only looks: a root that the database does not know yet passes.
func (f *Files) CheckRoots(ctx context.Context) error {
	for _, root := range f.cfg.Store.Roots() {
		known, marker, err := f.compareMarkers(ctx, root)
		if err != nil {
			return err
		}
		if known != "" && known != marker {
			return otherStore(root, known)
		}
	}
	return nil
}

// identify returns the marker of a root, which is that of the database and the one that lies there; "" if nothing can be
// written there.
func (f *Files) identify(ctx context.Context, root blob.Root) (string, error) {
	known, marker, err := f.compareMarkers(ctx, root)
	if err == nil && known == "" {
		if marker == "" {
			marker, err = f.mark(ctx, root)
			if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
				return "", nil
			}
		}
		if err == nil {
			known, err = f.primary.CreateFileStore(ctx, db.CreateFileStoreParams{Root: root.String(), Marker: marker})
		}
	}
	if err != nil {
		return "", err
	}
	if marker != known {
		return "", otherStore(root, known)
	}
	return marker, nil
}

// compareMarkers returns the marker that the database knows a root by, and the one that lies there, each empty if there is none.
func (f *Files) compareMarkers(ctx context.Context, root blob.Root) (known, marker string, err error) {
	known, err = f.primary.GetFileStore(ctx, root.String())
	if err != nil && ErrorCode(err) != CodeNotFound {
		return "", "", err
	}
	marker, err = root.Marker(ctx) // after the database was asked, which learns of a marker that is there already
	return known, marker, err
}

func otherStore(root blob.Root, known string) error {
	return fmt.Errorf("%s: %w: see whether its file system is mounted, and the same one on every machine; if the files were moved there on purpose, "+
		"or are lost for good, write %s into the file %s there", root, blob.ErrOtherStore, known, blob.Marker)
}

// mark gives a root its marker if files that should be there are.
func (f *Files) mark(ctx context.Context, root blob.Root) (string, error) {
	paths, err := f.primary.ListNewestPaths(ctx, db.ListNewestPathsParams{Root: root.String(), RowLimit: recognized})
	if err != nil {
		return "", err
	}
	found := len(paths) == 0
	for _, path := range paths {
		content, _, err := f.cfg.Store.Open(ctx, path)
		switch {
		case err == nil:
			content.Close()
			found = true
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, blob.ErrOutside):
			return "", err
		}
		if found {
			break
		}
	}
	if !found {
		return "", fmt.Errorf("%s: %w: none of the newest %d files is there: see whether its file system is mounted; if they are lost for good, "+
			"write a word of your own into the file %s there", root, blob.ErrOtherStore, len(paths), blob.Marker)
	}
	marker := rand.Text()
	err = root.Mark(ctx, marker)
	if errors.Is(err, fs.ErrExist) { // another process was faster
		return root.Marker(ctx)
	}
	return marker, err
}
