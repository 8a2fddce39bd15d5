package schema

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"portaldb/internal/catalog"
)

// Effects returns the effects that lie beside the migrations, in the order of their versions. A folder without them has
// none: what needs them says so.
func Effects(fsys fs.FS) ([]catalog.Effect, error) {
	names, err := fs.Glob(fsys, "effects/*.json")
	if err != nil {
		return nil, fmt.Errorf("list effects: %w", err)
	}
	var effects []catalog.Effect
	for i, name := range names {
		var e catalog.Effect
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if err := json.Unmarshal(data, &e); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if e.Version != int64(i+1) {
			return nil, fmt.Errorf("%s holds version %d, expected %d; run make generate", name, e.Version, i+1)
		}
		effects = append(effects, e)
	}
	return effects, nil
}

// WriteEffects writes one file an effect into the folder effects/ of dir, and removes those of versions that are gone.
func WriteEffects(dir string, effects []catalog.Effect) error {
	old, err := filepath.Glob(filepath.Join(dir, "effects", "*.json"))
	if err != nil {
		return fmt.Errorf("list effects: %w", err)
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("remove an old effect: %w", err)
		}
	}
	for _, e := range effects {
		data, err := encodeEffect(e)
		if err != nil {
			return fmt.Errorf("encode effect %05d: %w", e.Version, err)
		}
		if err := os.WriteFile(filepath.Join(dir, effectFile(e.Version)), data, 0o644); err != nil {
			return fmt.Errorf("write an effect: %w", err)
		}
	}
	return nil
}

// encodeEffect writes an effect as JSON with one object a line, so that a review shows what changed and no more.
func encodeEffect(e catalog.Effect) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"version\": %d, \"name\": %q", e.Version, e.Name)
	list := func(name string, length int, at func(int) any) error {
		for i := range length {
			lead := ",\n"
			if i == 0 {
				lead = fmt.Sprintf(",\n %q: [\n", name)
			}
			b.WriteString(lead + "  ")
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(at(i)); err != nil {
				return err
			}
			b.Truncate(b.Len() - 1) // the encoder ends the line
		}
		if length > 0 {
			b.WriteString("\n ]")
		}
		return nil
	}
	err := errors.Join(
		list("added", len(e.Added), func(i int) any { return e.Added[i] }),
		list("changed", len(e.Changed), func(i int) any { return e.Changed[i] }),
		list("removed", len(e.Removed), func(i int) any { return e.Removed[i] }),
		list("rows", len(e.Rows), func(i int) any { return e.Rows[i] }))
	b.WriteString("}\n")
	return b.Bytes(), err
}

// effectFile is the path of a version's effect in the migrations' folder.
func effectFile(version int64) string { return fmt.Sprintf("effects/%05d.json", version) }

func readEffect(fsys fs.FS, version int64) []byte {
	data, err := fs.ReadFile(fsys, effectFile(version))
	if err != nil {
		return nil // a folder of somebody's own has no effects
	}
	return data
}

// Measure applies the migrations one by one to the engine's database, which must be empty, and returns what each did to
// the catalog and to the reference rows. It is how effect files are made.
func (e *Engine) Measure(ctx context.Context) ([]catalog.Effect, error) {
	before, rowsBefore, err := e.measure(ctx)
	if err != nil {
		return nil, err
	}
	if len(before) > 0 {
		return nil, errors.New("measure effects: the database is not empty")
	}
	var effects []catalog.Effect
	for _, f := range e.files {
		if _, err := e.Up(ctx, f.Version); err != nil {
			return nil, err
		}
		after, rows, err := e.measure(ctx)
		if err != nil {
			return nil, err
		}
		effect := catalog.Compare(before, after)
		effect.Version, effect.Name = f.Version, f.Name
		effect.Rows = catalog.Compare(rowsBefore, rows).Added
		effects = append(effects, effect)
		before, rowsBefore = after, rows
	}
	return effects, nil
}

func (e *Engine) measure(ctx context.Context) (c, rows catalog.Catalog, err error) {
	s, err := e.session(ctx, "measure")
	if err != nil {
		return nil, nil, err
	}
	defer s.close()
	return readSchema(ctx, s.db)
}
